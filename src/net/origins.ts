/**
 * Which web pages may connect (docs/protocol.md "Browsers"). A browser says the page's origin; what
 * is no browser says none, and is let pass: it could say anything.
 */
export class Origins {
  readonly #any: boolean;
  readonly #exact = new Set<string>();
  /** What follows the `*` of `https://*.example.org`, by scheme. */
  readonly #suffixes: { readonly scheme: string; readonly suffix: string }[] = [];
  readonly #sameHost: boolean;

  /** Undefined: pages of the host that the request was made to. */
  constructor(allowed: readonly string[] | undefined) {
    this.#sameHost = allowed === undefined;
    this.#any = allowed?.includes('*') ?? false;
    for (const origin of allowed ?? []) {
      const [scheme = '', host = ''] = origin.toLowerCase().split('://');
      if (host.startsWith('*.')) this.#suffixes.push({ scheme, suffix: host.slice(1) });
      else this.#exact.add(origin.toLowerCase());
    }
  }

  allows(origin: string | undefined, host: string | undefined): boolean {
    if (origin === undefined || this.#any) return true;
    const text = origin.toLowerCase();
    if (this.#sameHost) return isSameHost(text, host);
    if (this.#exact.has(text)) return true;
    const [scheme, name = ''] = text.split('://');
    return this.#suffixes.some((one) => one.scheme === scheme && name.endsWith(one.suffix));
  }
}

/** The port does not matter: a page and its messages often have two on one host. */
function isSameHost(origin: string, host: string | undefined): boolean {
  if (host === undefined || !URL.canParse(origin) || !URL.canParse(`http://${host}`)) return false;
  return new URL(origin).hostname === new URL(`http://${host}`).hostname;
}
