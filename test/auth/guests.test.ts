import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Guests } from '../../src/auth/guests.ts';
import { limits } from '../../src/limits.ts';
import { parseClientId } from '../../src/wire/user-id.ts';
import { otherSecret, secret, signed } from '../support/auth.ts';

const guests = (publish = false, secrets: string[] = []): Guests => new Guests({ publish, secrets });

test('A guest gets a name of its own that is a client id, and limited permissions.', () => {
  const house = guests();
  const [one, two] = [house.invite(), house.invite()];
  assert.match(one.welcome.client_id, /^guest:[A-Za-z0-9_-]{22}$/);
  assert.notEqual(one.welcome.client_id, two.welcome.client_id);
  assert.equal(parseClientId(one.welcome.client_id), one.admission.user);
  const permissions = { groups: [], publish: false, broadcast: false, rateClass: 'guest' };
  assert.deepEqual(one.admission.permissions, permissions);
  assert.deepEqual(guests(true).invite().admission.permissions, { ...permissions, publish: true });
});

test('A guest comes back with its token, and with that of no other.', () => {
  const house = guests();
  const [one, two] = [house.invite().welcome, house.invite().welcome];
  const again = house.readmit(one.client_id, one.token);
  assert.equal(again?.welcome.client_id, one.client_id);
  assert.ok(house.readmit(one.client_id, again?.welcome.token ?? ''));
  for (const token of [two.token, '', 'x', one.token.slice(1), 'x'.repeat(5_000)]) {
    assert.equal(house.readmit(one.client_id, token), undefined, token);
  }
});

test('A guest cannot come back when its token has run out.', (t) => {
  const house = guests();
  const { client_id: name, token } = house.invite().welcome;
  const later = Date.now() + limits.guestTokenMs + 10_000;
  t.mock.method(Date, 'now', () => later);
  assert.equal(house.readmit(name, token), undefined);
});

test('Tokens of guests outlive the server if it has a secret, also while secrets are changed.', () => {
  const { client_id: name, token } = guests(false, [secret]).invite().welcome;
  assert.ok(guests(false, [otherSecret, secret]).readmit(name, token));
  assert.equal(guests(false, [otherSecret]).readmit(name, token), undefined);
  assert.equal(guests().readmit(name, token), undefined);
});

test('The secret itself signs no token of a guest: who is let in by one is no guest.', () => {
  assert.equal(guests(false, [secret]).readmit('guest:x', signed('guest:x', 0)), undefined);
});
