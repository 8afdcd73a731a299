import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { answers, components, noQuery } from './schemas.ts';
import { readVersion } from '../version.ts';

/** The document is made of the routes that are added after this. */
export function describeRoutes(admin: FastifyInstance): void {
  for (const component of components) admin.addSchema(component);
  admin.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Encke admin API',
        description: 'Groups, messages, presence, bans and figures of an Encke server.',
        version: readVersion(),
      },
      tags: [
        { name: 'groups', description: 'groups and their members' },
        { name: 'messages', description: 'sending' },
        { name: 'online', description: 'who is connected' },
        { name: 'bans', description: 'who may not connect' },
        { name: 'server', description: 'the server itself' },
      ],
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    },
    refResolver: {
      buildLocalReference: (json, _base, _fragment, i) =>
        typeof json['$id'] === 'string' ? json['$id'] : `def-${i}`,
    },
  });
}

/** GET /v1/openapi.json: the document of all routes, this one included. */
export function addDocumentRoute(scope: FastifyInstance): void {
  const schema = {
    summary: 'This document',
    tags: ['server'],
    querystring: noQuery,
    response: answers({ 200: { description: 'OpenAPI 3.1', type: 'object', additionalProperties: true } }),
  };
  scope.get('/v1/openapi.json', { schema }, () => scope.swagger());
}
