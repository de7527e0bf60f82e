/** Where a request comes from, as far as that can be believed. */
import type { IncomingMessage } from 'node:http';
import { isIPv4, isIPv6 } from 'node:net';

const PORT = /^(?:\[([^\]]*)\](?::\d+)?|([\d.]+):\d+)$/;

/**
 * The address of the caller. Each proxy appends to X-Forwarded-For whom it was asked by, so that only the entries of
 * our own proxies, at the end, are true; whatever stands before them was written by the caller.
 * @param trustedProxies how many proxies of ours a request passes
 */
export function callerAddress(request: IncomingMessage, trustedProxies: number): string {
  const peer = request.socket.remoteAddress ?? '';
  const forwarded = trustedProxies > 0 ? request.headers['x-forwarded-for'] : undefined;
  if (typeof forwarded !== 'string') return peer;
  const entries = forwarded.split(',');
  const entry = (entries[Math.max(0, entries.length - trustedProxies)] as string).trim();
  const match = PORT.exec(entry);
  const address = match?.[1] ?? match?.[2] ?? entry;
  return isIPv4(address) || isIPv6(address) ? address : peer;
}

/** What stands for all addresses of one caller: an IPv4 address, or the /64 network of an IPv6 address. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [start = '', end] = address.replace(/%.*/, '').split('::');
  const head = groupsOf(start);
  const tail = groupsOf(end ?? '');
  const zeros = Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => 0);
  const groups = [...head, ...zeros, ...tail];
  // A socket for both kinds of address names an IPv4 caller as ::ffff:a.b.c.d.
  if (groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0)) {
    return [groups[6], groups[7]].flatMap((group = 0) => [group >> 8, group & 0xff]).join('.');
  }
  const network = groups.slice(0, 4).map((group) => group.toString(16));
  return `${network.join(':')}::/64`;
}

function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return Number.parseInt(group, 16);
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}
