/** Closes connections that carry no request although Node's timers consider them busy. */
import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

interface Look {
  /** The bytes written to the connection so far. */
  written: number;
  /** Since when nothing was written, in milliseconds. */
  since: number;
}

/**
 * Closes connections that have had no request in progress for longer than `idleMs`. Node's keep-alive timer alone is not
 * enough: each empty line between requests restarts it.
 * @param idleMs longer than a well-behaved caller is idle, including the time to send a request; a request that is
 * answered before it has arrived completely counts as idle from then on
 * @param everyMs how often connections are checked; the cost of a check grows with their number
 */
export function endIdleConnections(server: Server, idleMs: number, everyMs: number): void {
  const looks = new Map<Socket, Look>();
  server.on('connection', (socket: Socket) => {
    looks.set(socket, { written: 0, since: performance.now() });
    socket.once('close', () => looks.delete(socket));
  });
  const timer = setInterval(() => {
    const now = performance.now();
    for (const [socket, look] of looks) {
      const { _httpMessage: present } = socket as Socket & { _httpMessage?: ServerResponse | null };
      if (present || socket.bytesWritten !== look.written) {
        look.written = socket.bytesWritten;
        look.since = now;
      } else if (now - look.since > idleMs) socket.destroy();
    }
  }, everyMs).unref();
  server.once('close', () => clearInterval(timer));
}
