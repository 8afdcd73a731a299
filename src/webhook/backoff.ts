import type { WebhookBounds } from './options.ts';

/** How long to wait after the failure number `failures`, 1 and up; `random` is in [0, 1). */
export function retryMs(
  { webhookRetryMs, webhookRetryMsMax }: Pick<WebhookBounds, 'webhookRetryMs' | 'webhookRetryMsMax'>,
  failures: number,
  random: number,
): number {
  const ms = Math.min(webhookRetryMsMax, webhookRetryMs * 2 ** (failures - 1));
  return ms / 2 + (ms / 2) * random;
}
