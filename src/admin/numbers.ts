import type { FastifyRequest } from 'fastify';

const WHOLE = /^(0|[1-9]\d{0,15})$/;

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, { readonly type?: unknown } | undefined>>;
}

/**
 * Path and query are text: what their schema calls an integer becomes one here, before it is
 * validated. Bodies are JSON, and are not touched: there "1" is no number.
 */
export async function readNumbers(request: FastifyRequest): Promise<void> {
  const { schema } = request.routeOptions;
  convert(request.params, schema?.params);
  convert(request.query, schema?.querystring);
}

function convert(values: unknown, schema: unknown): void {
  const { properties = {} } = (schema ?? {}) as ObjectSchema;
  const texts = values as Record<string, unknown>;
  for (const [name, { type } = {}] of Object.entries(properties)) {
    const text = texts[name];
    if (type === 'integer' && typeof text === 'string' && WHOLE.test(text)) texts[name] = Number(text);
  }
}
