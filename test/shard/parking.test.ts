import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Parking } from '../../src/shard/parking.ts';

function parked(parking: Parking<string>, key: string): string[] {
  const found: string[] = [];
  for (let first = parking.first(key); first !== undefined; first = parking.first(key)) {
    found.push(`${first.type} ${first.bytes.toString('utf8', first.at)}`);
    parking.shift(key);
  }
  return found;
}

test("Input is parked in the order it came, each connection's by itself.", () => {
  const parking = new Parking<string>();
  const slab = Buffer.from('abcdef');
  parking.park('x', 2, slab, 0, 2);
  parking.park('y', 3, slab, 2, 3);
  parking.park('x', 4, slab, 3, 6);
  assert.deepEqual(
    ['x', 'y', 'z'].map((key) => parking.has(key)),
    [true, true, false],
  );
  assert.deepEqual(parked(parking, 'x'), ['2 ab', '4 def']);
  assert.deepEqual([parking.has('x'), parking.first('x')], [false, undefined]);
  assert.deepEqual(parked(parking, 'y'), ['3 c']);
});

test('What is parked outlives the slab that it came in.', () => {
  const parking = new Parking<string>();
  const slab = Buffer.from('abc');
  parking.park('x', 1, slab, 0, 3);
  slab.fill(0);
  assert.equal(parking.first('x')?.bytes.toString(), 'abc');
});

test('Input that was handled in part goes on where it stopped.', () => {
  const parking = new Parking<string>();
  parking.park('x', 1, Buffer.from('abc'), 0, 3);
  const first = parking.first('x');
  assert(first !== undefined && first.at === 0);
  first.at = 2;
  assert.deepEqual(parked(parking, 'x'), ['1 c']);
});

test('Nothing is kept of a connection that is gone.', () => {
  const parking = new Parking<string>();
  parking.park('x', 1, Buffer.from('abc'), 0, 3);
  parking.park('y', 1, Buffer.from('abc'), 0, 3);
  parking.delete('x');
  parking.shift('x');
  assert.deepEqual([parking.has('x'), parking.has('y')], [false, true]);
});
