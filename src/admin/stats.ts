import type { FastifyInstance } from 'fastify';
import * as schemas from './schemas.ts';
import { statsSchema, type StatsApi } from './stats-api.ts';

/** What the server is, and how much of everything it has now (docs/admin.md, "Figures"). */
export function addStatsRoute(scope: FastifyInstance, stats: StatsApi): void {
  const schema = {
    summary: 'Figures of this moment',
    tags: ['server'],
    querystring: schemas.noQuery,
    response: schemas.answers({ 200: statsSchema }),
  };
  scope.get('/v1/stats', { schema }, () => stats.read());
}
