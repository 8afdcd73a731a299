import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RouteOptions } from 'fastify';
import { readVersion } from '../../src/version.ts';
import { refusalOf, startAdmin } from '../support/admin-rig.ts';

type Json = Record<string, unknown>;

interface Operation extends Json {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly Json[];
  readonly parameters?: readonly { in: string; name: string; required?: boolean; schema: Json }[];
  readonly requestBody?: { readonly content: Json };
  readonly responses: Readonly<Record<string, { description?: string; content?: Json }>>;
}

interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly tags: readonly { readonly name: string }[];
  readonly components: { readonly schemas: Json; readonly securitySchemes: Json };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const operationsOf = ({ paths }: Document): [path: string, method: string, operation: Operation][] =>
  Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]): [string, string, Operation] => [path, method, operation]),
  );

/** Every value in a document, with where it stands. */
function* valuesOf(value: unknown, at = '#'): Generator<[at: string, value: unknown]> {
  yield [at, value];
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) yield* valuesOf(inner, `${at}/${name}`);
}

async function documentOf(t: Parameters<typeof startAdmin>[0]): Promise<Document> {
  const { call } = await startAdmin(t);
  const { status, body } = await call('GET', '/v1/openapi.json');
  assert.equal(status, 200);
  return body as Document;
}

test('the document has every route that the port answers, and no other', async (t) => {
  const routes = new Set<string>();
  const document = await startAdmin(t, {
    onRoute: ({ method, url }: RouteOptions) => {
      for (const each of [method].flat()) {
        if (each !== 'HEAD') routes.add(`${each} ${url.replaceAll(/:(\w+)/g, '{$1}')}`);
      }
    },
  }).then(({ call }) => call('GET', '/v1/openapi.json'));
  const described = operationsOf(document.body as Document).map(
    ([path, method]) => `${method.toUpperCase()} ${path}`,
  );
  assert.ok(described.length >= 10);
  assert.deepEqual(new Set(described), routes);
  assert.equal(new Set(described).size, described.length);
});

test('it is OpenAPI 3.1: what has to be there is, and what is named exists', async (t) => {
  const document = await documentOf(t);
  assert.equal(document.openapi, '3.1.0');
  assert.equal(document.info.version, readVersion());
  const tags = new Set(document.tags.map(({ name }) => name));
  for (const [path, method, operation] of operationsOf(document)) {
    const where = `${method} ${path}`;
    assert.ok(operation.summary, `${where} has a summary`);
    assert.ok(operation.tags?.length === 1 && tags.has(operation.tags[0]!), `${where} has a tag`);
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const described = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
    assert.deepEqual(
      described.map(({ name }) => name),
      inPath,
      where,
    );
    for (const { name, required, schema } of operation.parameters ?? []) {
      assert.ok('type' in schema || '$ref' in schema || 'anyOf' in schema, `${where}: ${name} has a type`);
      if (inPath.includes(name)) assert.equal(required, true, where);
    }
    const statuses = Object.keys(operation.responses);
    assert.ok(
      statuses.some((status) => /^2\d\d$/.test(status)),
      `${where} can succeed`,
    );
    for (const [status, { description }] of Object.entries(operation.responses)) {
      assert.match(status, /^([1-5]\d\d|[45]XX)$/, where);
      assert.ok(description, `${where} ${status} has a description`);
    }
    if (method === 'put' || method === 'post') {
      assert.deepEqual(Object.keys(operation.requestBody?.content ?? {}), ['application/json'], where);
    }
  }
  for (const [at, value] of valuesOf(document)) {
    if (!at.endsWith('/$ref')) continue;
    const name = /^#\/components\/schemas\/(\w+)$/.exec(String(value))?.[1];
    assert.ok(name !== undefined && name in document.components.schemas, `${at} names ${String(value)}`);
  }
});

test('every route under /v1 asks for the token, says so, and can be refused', async (t) => {
  const { call } = await startAdmin(t, { token: 'right' });
  assert.deepEqual(refusalOf(await call('GET', '/v1/openapi.json')), [401, 'unauthorized']);
  const { body } = await call('GET', '/v1/openapi.json', undefined, { authorization: 'Bearer right' });
  for (const [path, method, operation] of operationsOf(body as Document)) {
    const where = `${method} ${path}`;
    const answer = await call(method.toUpperCase(), path.replaceAll(/\{\w+\}/g, '1'));
    if (!path.startsWith('/v1/')) {
      assert.equal(operation.security, undefined, where);
      assert.notEqual(answer.status, 401, where);
      continue;
    }
    assert.deepEqual(refusalOf(answer), [401, 'unauthorized'], where);
    assert.deepEqual(operation.security, [{ token: [] }], where);
    for (const status of ['4XX', '5XX']) assert.ok(status in operation.responses, `${where} ${status}`);
  }
});
