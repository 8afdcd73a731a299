import type { limits } from '../limits.ts';

/** What is done with messages when before_send cannot be asked (docs/webhooks.md, "before_send"). */
export type WhenDown = 'refuse' | 'allow';

export interface BeforeSendOptions {
  readonly url: string;
  readonly timeoutMs: number;
  readonly whenDown: WhenDown;
}

/** Webhooks as an operator sets them; the main thread hands them to each shard. */
export interface WebhookOptions {
  /** Where events are posted. Absent: nowhere, and there is no event log. */
  readonly url?: string;
  /** Each signs every request (docs/webhooks.md, "Signature"). None: they are not signed. */
  readonly secrets: readonly string[];
  readonly beforeSend?: BeforeSendOptions;
  /** Other bounds than those of src/limits.ts. */
  readonly bounds?: Partial<WebhookBounds>;
}

export type WebhookBounds = Record<
  Extract<keyof typeof limits, `webhook${string}` | `presence${string}` | `beforeSend${string}`>,
  number
>;
