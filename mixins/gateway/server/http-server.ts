/** The HTTP server: bounded in time and size, with JSON errors even for invalid HTTP, and a stop that loses no answer. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, STATUS_CODES, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { portRefusal } from '../../process/port-refusal.ts';
import { answerHeaders, type Headers } from '../reply/answer-headers.ts';
import type { GatewaySettings } from '../gateway.settings.ts';
import { endIdleConnections } from './idle-connections.ts';

export type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;

/** The maximum size of the request line and headers, in bytes. It also bounds paths, queries and tokens. */
export const MAX_HEADER_BYTES = 16_384;
/** Timeouts are checked at least this often. */
const CHECK_INTERVAL_MS = 5_000;
/** How long a caller that the parser refuses may take to read the answer. */
const LINGER_MS = 1_000;
/** How long a connection with a request may be inactive: longer than any endpoint takes to begin its answer. */
export const STILL_MS = 120_000;
/** How long a stop waits for requests in flight; the process has ten seconds in total. */
const STOP_TIMEOUT_MS = 8_000;

/** The answers to failures of the HTTP parser. */
const PARSER_FAILURES: Record<string, { status: number; message: string }> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    message: `The request line and headers must not exceed ${MAX_HEADER_BYTES} bytes`,
  },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, message: 'The request did not arrive in time: send it again' },
};
const UNREADABLE = { status: 400, message: 'The request is not valid HTTP/1.1' };

type ServerSettings = Pick<
  GatewaySettings,
  'maxConnections' | 'headersTimeoutMs' | 'requestTimeoutMs' | 'keepAliveTimeoutMs'
>;

export class HttpServer {
  readonly server: Server;
  readonly #sockets = new Set<Socket>();
  #closed: Promise<void> | undefined;

  /** @param stillMs how long a connection with a request may be inactive; for tests */
  constructor(listener: RequestListener, settings: ServerSettings, stillMs = STILL_MS) {
    const receive: RequestListener = (request, response) => {
      if (request.headers.host === undefined && request.httpVersion === '1.1')
        answerBare(response, 400, 'The Host header is missing');
      else listener(request, response);
    };
    const checkEveryMs = Math.min(CHECK_INTERVAL_MS, settings.headersTimeoutMs / 2);
    this.server = createServer(
      {
        headersTimeout: settings.headersTimeoutMs,
        requestTimeout: settings.requestTimeoutMs,
        keepAliveTimeout: settings.keepAliveTimeoutMs,
        connectionsCheckingInterval: checkEveryMs,
        maxHeaderSize: MAX_HEADER_BYTES,
        // Node's own refusal is not JSON.
        requireHostHeader: false,
      },
      receive,
    );
    this.server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.server.maxConnections = settings.maxConnections;
    // Otherwise a caller that never reads its answer could keep its connection for ever.
    this.server.timeout = stillMs;
    endIdleConnections(this.server, settings.keepAliveTimeoutMs + settings.requestTimeoutMs, checkEveryMs);
    // Beyond a number of headers Node silently drops the rest, and a dropped If-Match would go unchecked.
    this.server.maxHeadersCount = 0;
    // The body reader sends 100 Continue once the body is wanted.
    this.server.on('checkContinue', receive);
    this.server.on('checkExpectation', (_request, response) => {
      answerBare(response, 417, 'The only supported expectation is 100-continue');
    });
    this.server.on('clientError', answerUnreadable);
    this.server.on('connect', (_request, socket) => {
      socket.on('error', () => socket.destroy());
      answerSocket(socket, 405, 'CONNECT is not supported: this is not a proxy', {
        Allow: 'GET, HEAD, POST, PUT, OPTIONS',
      });
    });
  }

  /** True once a stop has begun. */
  get stopping(): boolean {
    return this.#closed !== undefined;
  }

  /** The address it listens on. */
  get address(): AddressInfo {
    return this.server.address() as AddressInfo;
  }

  /** Begins to listen. @throws StartRefused with one clear line when it cannot listen on the address */
  listen(port: number, host: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const refuse = (error: Error) => reject(portRefusal(error, { host, port }));
      this.server.once('error', refuse);
      this.server.listen(port, host, () => {
        this.server.off('error', refuse);
        resolve();
      });
    });
  }

  /** Stops accepting connections, and resolves when every answer in flight is sent. May be called again. */
  stop(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  #close(): Promise<void> {
    if (!this.server.listening) return Promise.resolve();
    return new Promise((resolve) => {
      // A connection whose answer began before the stop becomes idle only later.
      const sweep = setInterval(() => {
        this.server.closeIdleConnections();
        // Node does not count those as idle; browsers open some in advance.
        for (const socket of this.#sockets) if (socket.bytesRead === 0) socket.destroy();
      }, 50);
      const deadline = setTimeout(() => this.server.closeAllConnections(), STOP_TIMEOUT_MS);
      this.server.close(() => {
        clearInterval(sweep);
        clearTimeout(deadline);
        resolve();
      });
    });
  }
}

/** The headers and body of an answer outside moleculer-web. */
function bareAnswer(status: number, message: string): { headers: Headers; body: string } {
  const body = JSON.stringify({ error: STATUS_CODES[status], message });
  const own = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body), Connection: 'close' };
  return { headers: { ...answerHeaders(randomUUID()), ...own }, body };
}

/** Refuses a request before moleculer-web sees it. */
function answerBare(response: ServerResponse, status: number, message: string): void {
  const { headers, body } = bareAnswer(status, message);
  response.writeHead(status, headers).end(body);
}

function answerUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  // An answer in progress would be cut off, with ours in the middle of it.
  const { _httpMessage: present } = socket as Socket & { _httpMessage?: ServerResponse };
  if (error.code === 'ECONNRESET' || !socket.writable || present?.headersSent) {
    socket.destroy();
    return;
  }
  const { status, message } = PARSER_FAILURES[error.code ?? ''] ?? UNREADABLE;
  answerSocket(socket, status, message);
}

/** Answers when Node provides no response object, and closes the connection even if the other side does not. */
function answerSocket(socket: Duplex, status: number, message: string, more: Record<string, string> = {}): void {
  const { headers, body } = bareAnswer(status, message);
  const lines = Object.entries({ ...headers, ...more }).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', body].join('\r\n'));
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}
