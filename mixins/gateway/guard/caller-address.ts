/** Where a request comes from, as far as that can be believed. */
import type { IncomingMessage } from 'node:http';
import ipaddr from 'ipaddr.js';

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
  return ipaddr.IPv4.isValidFourPartDecimal(address) || ipaddr.IPv6.isValid(address) ? address : peer;
}

/** What stands for all addresses of one caller: an IPv4 address, or the /64 network of an IPv6 address. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  // A socket for both kinds of address names an IPv4 caller as ::ffff:a.b.c.d.
  const known = ipaddr.process(address);
  if (known instanceof ipaddr.IPv4) return known.toString();
  const network = known.parts.slice(0, 4).map((group) => group.toString(16));
  return `${network.join(':')}::/64`;
}
