import type { FastifyInstance } from 'fastify';

/** What the admin port tells of the server's figures. */
export interface MetricsText {
  readonly contentType: string;
  text(): Promise<string>;
}

/** GET /metrics (docs/operations.md, "Metrics"). */
export function addMetricsRoute(scope: FastifyInstance, metrics: MetricsText): void {
  // Not in the OpenAPI document: who reads it knows the format.
  scope.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
    const text = await metrics.text();
    return reply.type(metrics.contentType).send(text);
  });
}
