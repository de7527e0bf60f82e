/** The listening socket: sane timeouts, errors in JSON even for what is not HTTP, and a stop that loses no answer. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, STATUS_CODES, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { SettingError } from '../settings.ts';

export type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;

/** How long a caller may take to send its headers, and its whole request; and how long an idle connection is kept. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
/** What is in flight at a stop has this long; the process has ten seconds in all. */
const STOP_TIMEOUT_MS = 8_000;

/** Failures of the HTTP parser, before there is a request. */
const PARSER_STATUS: Record<string, number> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 };

export class HttpServer {
  readonly server: Server;
  #closed: Promise<void> | undefined;

  constructor(listener: RequestListener) {
    this.server = createServer(
      {
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
        connectionsCheckingInterval: 5_000,
        // Node's own refusal would be no JSON.
        requireHostHeader: false,
      },
      (request, response) => {
        if (request.headers.host === undefined && request.httpVersion === '1.1')
          answerBare(response, 400, 'Send a Host header');
        else listener(request, response);
      },
    );
    // The reader of the body says "continue", once it is known that the body is wanted.
    this.server.on('checkContinue', listener);
    this.server.on('checkExpectation', (_request, response) => {
      answerBare(response, 417, 'The only expectation that is known here is 100-continue');
    });
    this.server.on('clientError', answerUnreadable);
  }

  /** True once a stop has begun. */
  get stopping(): boolean {
    return this.#closed !== undefined;
  }

  /** Where it listens. */
  get address(): AddressInfo {
    return this.server.address() as AddressInfo;
  }

  /** @throws SettingError with one clear line when the address cannot be listened on */
  listen(port: number, host: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const refuse = (error: NodeJS.ErrnoException) => reject(new SettingError(refusal(error, port, host)));
      this.server.once('error', refuse);
      this.server.listen(port, host, () => {
        this.server.off('error', refuse);
        resolve();
      });
    });
  }

  /** Accepts nobody any more, and resolves when every answer in flight is sent. May be called again. */
  stop(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  #close(): Promise<void> {
    if (!this.server.listening) return Promise.resolve();
    return new Promise((resolve) => {
      // Connections whose answer began before the stop become idle later.
      const sweep = setInterval(() => this.server.closeIdleConnections(), 50);
      const deadline = setTimeout(() => this.server.closeAllConnections(), STOP_TIMEOUT_MS);
      this.server.close(() => {
        clearInterval(sweep);
        clearTimeout(deadline);
        resolve();
      });
    });
  }
}

function refusal(error: NodeJS.ErrnoException, port: number, host: string): string {
  if (error.code === 'EADDRINUSE') return `PORT=${port} cannot be used: something else listens on ${host}:${port}`;
  if (error.code === 'EACCES')
    return `PORT=${port} cannot be used: this user may not listen on it, give one above 1023`;
  if (error.code === 'EADDRNOTAVAIL') return `HOST=${host} cannot be used: this machine has no such address`;
  return `HOST=${host} and PORT=${port} cannot be used: ${error.code ?? error.message}`;
}

/** Refuses a request that is not worth reading. */
function answerBare(response: ServerResponse, status: number, message: string): void {
  const body = JSON.stringify({ error: STATUS_CODES[status], message });
  response
    .writeHead(status, { 'Content-Type': 'application/json', 'X-Request-ID': randomUUID(), Connection: 'close' })
    .end(body);
}

function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = PARSER_STATUS[error.code ?? ''] ?? 400;
  const title = STATUS_CODES[status] as string;
  const body = JSON.stringify({ error: title, message: 'The request is not readable as HTTP/1.1' });
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `X-Request-ID: ${randomUUID()}\r\nConnection: close\r\n\r\n${body}`,
  );
}
