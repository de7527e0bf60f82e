/** Ends connections that look busy to Node's timers and carry no request. */
import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

interface Look {
  /** What had been written to it, in bytes. */
  written: number;
  /** Since when nothing was, in milliseconds. */
  since: number;
}

/**
 * Ends connections on which no request was under way for longer than `idleMs`. Empty lines between requests belong to
 * none, but each of them begins the time of a kept connection anew.
 * @param idleMs a sound caller is idle for no longer: it begins its next request in time, and sends it in time; what is
 * answered before its end counts as idle while the rest comes
 * @param everyMs how often is looked; the work of one look grows with the number of connections
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
