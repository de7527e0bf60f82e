/** The address that a request comes from, as far as it can be trusted. */
import type { IncomingMessage } from 'node:http';
import ipaddr from 'ipaddr.js';

const PORT = /^(?:\[([^\]]*)\](?::\d+)?|([\d.]+):\d+)$/;

/**
 * The address of the caller. Each proxy appends the address of its client to X-Forwarded-For, so only the entries of our
 * own proxies, at the end, can be trusted; the caller may have written those before them.
 * @param trustedProxies how many of our proxies a request passes
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

/** The network that one caller is assumed to own: an IPv4 address, or the /64 network of an IPv6 address. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  // A dual-stack socket shows an IPv4 caller as ::ffff:a.b.c.d.
  const known = ipaddr.process(address);
  if (known instanceof ipaddr.IPv4) return known.toString();
  const network = known.parts.slice(0, 4).map((group) => group.toString(16));
  return `${network.join(':')}::/64`;
}
