/** How often is too often, and who counts as one caller. */
import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { callerAddress, networkOf } from '../../mixins/gateway/guard/caller-address.ts';
import { RateLimiter } from '../../mixins/gateway/guard/rate-limiter.ts';

/** A limiter whose clock the test turns. */
function limiterAt({ requests = 10, periodMs = 1_000, maxKeys = 100 } = {}) {
  const clock = { ms: 5_000 };
  const limiter = new RateLimiter({ requests, periodMs }, { maxKeys, now: () => clock.ms });
  const granted = (key: string, tries: number): number =>
    Array.from({ length: tries }, () => limiter.take(key)).filter((wait) => wait === 0).length;
  return { clock, limiter, granted };
}

describe('a bucket', () => {
  test.each([1, 3, 7, 10, 200, 5_000, 99_991])('that is full holds %i requests, and not one more', (requests) => {
    expect(limiterAt({ requests }).granted('a', requests + 1)).toBe(requests);
    expect(limiterAt({ requests, periodMs: 3_600_000 }).granted('a', requests + 1)).toBe(requests);
  });

  test('refills at its rate, and returns the time until the next request', () => {
    const { clock, limiter, granted } = limiterAt({ requests: 10, periodMs: 1_000 });
    granted('a', 10);
    expect(limiter.take('a')).toBeCloseTo(100);
    clock.ms += 60;
    expect(limiter.take('a')).toBeCloseTo(40);
    clock.ms += 40;
    expect(granted('a', 5)).toBe(1);
    clock.ms += 10_000;
    expect(granted('a', 30)).toBe(10);
  });

  test('is independent of all others', () => {
    const { granted } = limiterAt();
    expect([granted('a', 20), granted('b', 20)]).toEqual([10, 10]);
  });

  test('grants no more over any period than it holds and regains', () => {
    const pauses = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 60 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), pauses, (requests, all) => {
        const { clock, granted } = limiterAt({ requests });
        let given = granted('a', requests * 2);
        for (const pause of all) {
          clock.ms += pause;
          given += granted('a', requests * 2);
        }
        const earned = (all.reduce((sum, pause) => sum + pause, 0) * requests) / 1_000;
        // A hundredth of a request is the limiter's tolerance, the rest that of this sum.
        expect(given).toBeLessThanOrEqual(requests + earned + 0.01 + 1e-9);
        expect(given).toBeGreaterThan(earned - 1);
      }),
    );
  });
});

describe('what is remembered', () => {
  test('is bounded, however many callers there are', () => {
    const { limiter } = limiterAt({ maxKeys: 100 });
    for (let i = 0; i < 10_000; i++) limiter.take(`caller ${i}`);
    expect(limiter.size).toBeLessThanOrEqual(100);
  });

  test('is kept for callers that stay active while others come and go', () => {
    const { limiter, granted } = limiterAt({ requests: 10, maxKeys: 100 });
    let given = 0;
    for (let i = 0; i < 1_000; i++) {
      limiter.take(`passer-by ${i}`);
      if (i % 10 === 0) given += granted('regular', 1);
    }
    expect(given).toBe(10);
  });
});

const from = (forwarded: string | undefined, trustedProxies: number): string =>
  callerAddress(
    {
      socket: { remoteAddress: '10.0.0.1' },
      headers: { 'x-forwarded-for': forwarded },
    } as unknown as IncomingMessage,
    trustedProxies,
  );

describe('one caller', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::ffff:c000:207', '192.0.2.7'],
    ['2001:db8:0:1::1', '2001:db8:0:1::/64'],
    ['2001:DB8:0:1:ffff:ffff:ffff:ffff', '2001:db8:0:1::/64'],
    ['2001:db8::1:2:3:4:5', '2001:db8:0:1::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ])('at %s is %s', (address, caller) => {
    expect(networkOf(address)).toBe(caller);
  });

  test('is not identified by what it claims unless a proxy is trusted', () => {
    expect(from('192.0.2.7', 0)).toBe('10.0.0.1');
  });

  test.each([
    ['192.0.2.7', 1, '192.0.2.7'],
    ['1.1.1.1, 192.0.2.7', 1, '192.0.2.7'],
    ['1.1.1.1, 192.0.2.7, 10.0.0.2', 2, '192.0.2.7'],
    ['192.0.2.7', 2, '192.0.2.7'],
    ['192.0.2.7:4711', 1, '192.0.2.7'],
    ['[2001:db8::1]:4711', 1, '2001:db8::1'],
    ['2001:db8::1', 1, '2001:db8::1'],
    ['unknown', 1, '10.0.0.1'],
    ['', 1, '10.0.0.1'],
    [undefined, 1, '10.0.0.1'],
  ])('behind X-Forwarded-For: %s and %i trusted proxies is %s', (forwarded, trustedProxies, address) => {
    expect(from(forwarded, trustedProxies)).toBe(address);
  });
});
