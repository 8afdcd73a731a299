import { limits } from '../limits.ts';
import { sentStatuses } from './sending-api.ts';

/*
 * Written once: requests are validated by these, answers are written by them, and the OpenAPI
 * document is made of them. Those with an $id are its components.
 */

const idMax = 2_147_483_647;

export const error = {
  $id: 'Error',
  type: 'object',
  properties: {
    error: { type: 'string', description: 'a code of docs/protocol.md, "Admin codes"' },
    reason: { type: 'string', description: 'for people' },
  },
  required: ['error', 'reason'],
} as const;

export const user = {
  $id: 'User',
  description: 'a mid, or the name of a string client; "21" is mid 21',
  anyOf: [
    { type: 'integer', minimum: 1, maximum: idMax },
    { type: 'string', minLength: 1, maxLength: limits.clientIdCharsMax },
  ],
} as const;

export const mid = { type: 'integer', minimum: 1, maximum: idMax } as const;

const time = { type: 'string', format: 'date-time' } as const;

export const connection = {
  $id: 'Connection',
  type: 'object',
  properties: {
    connection: { type: 'integer', description: 'its number, unique as long as it lives' },
    user: { $ref: 'User#' },
    device: { type: ['string', 'null'], description: 'null: comet without a device name' },
    protocol: { type: 'string', enum: ['comet', 'messaging'] },
    encoding: { type: 'string', enum: ['binary', 'json'] },
    transport: { type: 'string', enum: ['tcp', 'websocket'] },
    address: { type: 'string' },
    connectedAt: time,
    slow: { type: 'boolean', description: 'it does not read fast enough, and is fed from the log' },
  },
  required: [
    'connection',
    'user',
    'device',
    'protocol',
    'encoding',
    'transport',
    'address',
    'connectedAt',
    'slow',
  ],
} as const;

export const sent = {
  $id: 'Sent',
  type: 'object',
  properties: {
    user: { $ref: 'User#' },
    group: mid,
    status: {
      type: 'string',
      enum: sentStatuses,
      description:
        'delivered: to one connection at least; offline: stored, nobody is connected; stored: those who ' +
        'are connected read too slowly, or it is not known; failed: see error',
    },
    chatId: { type: 'integer', minimum: 0, description: 'its number in the conversation; 0 if it failed' },
    connections: { type: 'integer', minimum: 0, description: 'that were given it at once' },
    error: { type: 'string', description: 'a code of docs/protocol.md, "Error codes"' },
    reason: { type: 'string' },
  },
  required: ['status', 'chatId', 'connections'],
} as const;

export const ban = {
  $id: 'Ban',
  type: 'object',
  properties: {
    user: { $ref: 'User#' },
    since: time,
    until: { type: ['string', 'null'], format: 'date-time', description: 'null: for good' },
    reason: { type: 'string', description: 'what the client is told' },
  },
  required: ['user', 'since', 'until', 'reason'],
} as const;

export const message = {
  $id: 'Message',
  type: 'object',
  properties: {
    chatId: { type: 'integer', minimum: 1 },
    from: { description: 'a user; 0: the system', type: ['integer', 'string'] },
    to: { description: 'a user; in a group absent', type: ['integer', 'string'] },
    time: { ...time, description: 'when it was accepted' },
    msg: { description: 'as JSON clients get it' },
    enc: { type: 'string', enum: ['base64'], description: 'msg is base64' },
  },
  required: ['chatId', 'from', 'time', 'msg'],
} as const;

/** All that the document names; each is to be added before the routes. */
export const components = [error, user, connection, sent, ban, message] as const;

export const missingShards = {
  type: 'array',
  items: { type: 'integer' },
  description: 'shards that did not answer: what they have is not counted; empty if it is all',
} as const;

export const count = { type: 'integer', minimum: 0 } as const;

/** The query of a page: what comes behind `after`, by number. */
export const pageQuery = {
  type: 'object',
  properties: {
    after: {
      type: 'integer',
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'the last number of the page before',
    },
    limit: { type: 'integer', minimum: 1, maximum: limits.adminPageMax },
  },
  additionalProperties: false,
} as const;

export interface PageParameters {
  readonly after?: number;
  readonly limit?: number;
}

export const noQuery = { type: 'object', properties: {}, additionalProperties: false } as const;

export const gidPath = { type: 'object', properties: { gid: mid }, required: ['gid'] } as const;

export const userPath = {
  type: 'object',
  properties: { user: { type: 'string', description: 'a mid or a client id, percent-encoded' } },
  required: ['user'],
} as const;

/** An answer, and what every route can answer instead. */
export const answers = <const T extends Record<number, unknown>>(
  good: T,
): T & { readonly '4xx': unknown; readonly '5xx': unknown } => ({
  ...good,
  '4xx': { description: 'the request was refused', $ref: 'Error#' },
  '5xx': { description: 'the server could not do it', $ref: 'Error#' },
});
