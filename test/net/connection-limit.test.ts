import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { addressKey } from '../../src/net/address.ts';
import { ConnectionLimit } from '../../src/net/connection-limit.ts';
import { Origins } from '../../src/net/origins.ts';
import { TrustedProxies } from '../../src/net/proxies.ts';
import { parseProxyHeader } from '../../src/net/proxy-header.ts';

test('Connections count in total and by address until they leave, those refused by address as well.', () => {
  const limit = new ConnectionLimit({ connectionsMax: 3, addressConnectionsMax: 1 });
  const [a, b, c, d] = [new Socket(), new Socket(), new Socket(), new Socket()];
  assert.equal(limit.enter(a), undefined);
  assert.equal(limit.name(a, '192.0.2.1'), undefined);
  assert.equal(limit.enter(b), undefined);
  assert.equal(limit.name(b, '192.0.2.1'), 'address_connections_max');
  assert.equal(limit.enter(c), undefined);
  assert.equal(limit.enter(d), 'connections_max');
  limit.leave(a);
  limit.leave(b);
  assert.deepEqual([limit.total, limit.addresses], [1, 0]);
  assert.equal(limit.enter(d), undefined);
  assert.equal(limit.name(d, '192.0.2.1'), undefined);
});

test('A connection that a proxy speaks for counts at its new address alone.', () => {
  const limit = new ConnectionLimit({ connectionsMax: 9, addressConnectionsMax: 1 });
  const socket = new Socket();
  limit.enter(socket);
  limit.name(socket, '10.0.0.1');
  limit.name(socket, '192.0.2.1');
  assert.equal(limit.addresses, 1);
  limit.leave(socket);
  limit.giveBack(socket); // twice is once
  assert.equal(limit.addresses, 0);
});

test('IPv6 addresses count by their /64, IPv4 ones by themselves.', () => {
  assert.equal(addressKey('192.0.2.1'), '192.0.2.1');
  assert.equal(addressKey('2001:db8:0:7::1'), '2001:db8:0:7::/64');
  assert.equal(addressKey('2001:0db8:0000:0007:aaaa:bbbb:cccc:dddd'), '2001:db8:0:7::/64');
  assert.equal(addressKey('::1'), '0:0:0:0::/64');
  assert.equal(addressKey('fe80::1%eth0'), 'fe80:0:0:0::/64');
});

test('X-Forwarded-For is read from the right, up to the first address that is no trusted proxy.', () => {
  const proxies = new TrustedProxies(['10.0.0.0/8', '::1']);
  assert.equal(proxies.clientOf('10.1.2.3', '1.1.1.1, 198.51.100.7, 10.9.9.9'), '198.51.100.7');
  assert.equal(proxies.clientOf('::ffff:10.1.2.3', '198.51.100.7'), '198.51.100.7');
  assert.equal(proxies.clientOf('10.1.2.3', 'unknown'), '10.1.2.3');
  assert.equal(proxies.clientOf('10.1.2.3', '198.51.100.7, garbage'), '10.1.2.3');
  assert.equal(proxies.clientOf('10.1.2.3', undefined), '10.1.2.3');
  assert.equal(proxies.clientOf('198.51.100.9', '1.1.1.1'), '198.51.100.9', 'nobody believes that one');
  assert.equal(new TrustedProxies([]).clientOf('10.1.2.3', '1.1.1.1'), '10.1.2.3');
});

const v2 = (command: string, family: string, addresses: string): Buffer =>
  Buffer.from(
    `0d0a0d0a000d0a515549540a${command}${family}${(addresses.length / 2).toString(16).padStart(4, '0')}${addresses}`,
    'hex',
  );

test('The PROXY header of both versions is read once it is whole, and a bad one is known as bad.', () => {
  const line = Buffer.from('PROXY TCP4 198.51.100.7 203.0.113.1 4000 3101\r\n');
  const four = v2('21', '11', 'c6336407cb0071010fa00c1d');
  const six = v2('21', '21', `20010db8${'0'.repeat(23)}1${'0'.repeat(32)}0fa00c1d`);
  const whole: [Buffer, string | undefined][] = [
    [line, '198.51.100.7'],
    [Buffer.from('PROXY TCP6 2001:db8::1 ::1 1 2\r\n'), '2001:db8::1'],
    [Buffer.from('PROXY UNKNOWN\r\n'), undefined],
    [four, '198.51.100.7'],
    [six, '2001:db8:0:0:0:0:0:1'],
    [v2('20', '00', ''), undefined],
    [v2('21', '11', 'c6336407cb0071010fa00c1d030004aabbccdd'), '198.51.100.7'],
  ];
  for (const [header, address] of whole) {
    const followed = Buffer.concat([header, Buffer.from('PROXY')]);
    assert.deepEqual(parseProxyHeader(followed), { bytes: header.length, address });
    for (let length = 1; length < header.length; length++)
      assert.equal(parseProxyHeader(header.subarray(0, length)), 'more', `${length} of ${header.toString()}`);
  }
  for (const none of ['\0\0\0\x10', 'GET / HTTP/1.1', '\x16\x03\x01', 'PROXIES'])
    assert.equal(parseProxyHeader(Buffer.from(none, 'latin1')), 'none');
  const bad = [
    Buffer.from(`PROXY TCP4 ${'x'.repeat(200)}`),
    Buffer.from(`PROXY TCP4 ${'1'.repeat(200)}\r\n`),
    Buffer.from('PROXY TCP4 2001:db8::1 ::1 1 2\r\n'),
    Buffer.from('PROXY \r\n'),
    v2('11', '11', 'c6336407cb0071010fa00c1d'),
    v2('22', '11', 'c6336407cb0071010fa00c1d'),
    v2('21', '11', 'c6336407'),
    Buffer.concat([v2('21', '11', '').subarray(0, 14), Buffer.from('ffff', 'hex')]),
  ];
  for (const header of bad) assert.equal(parseProxyHeader(header), 'bad', header.toString('latin1'));
});

test('Without a list pages of the same host may connect, with one those in it; no origin always may.', () => {
  const same = new Origins(undefined);
  assert.ok(same.allows(undefined, 'encke'));
  assert.ok(same.allows('http://localhost:8080', 'localhost:3102'));
  assert.ok(same.allows('http://[::1]:8080', '[::1]:3102'));
  for (const origin of ['https://evil.example', 'null', 'http://localhost.evil.example', ''])
    assert.ok(!same.allows(origin, 'localhost:3102'), origin);
  assert.ok(!same.allows('http://localhost', undefined));
  const listed = new Origins(['https://a.example', 'https://*.b.example']);
  for (const origin of [
    'https://a.example',
    'HTTPS://A.example',
    'https://x.b.example',
    'https://x.y.b.example',
  ])
    assert.ok(listed.allows(origin, 'a.example'), origin);
  for (const origin of [
    'http://a.example',
    'https://a.example:444',
    'https://b.example',
    'https://evilb.example',
    'http://x.b.example',
    'null',
  ])
    assert.ok(!listed.allows(origin, 'a.example'), origin);
  assert.ok(new Origins(['*']).allows('null', undefined));
});
