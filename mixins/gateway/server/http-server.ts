/** The listening socket: sane timeouts, errors in JSON even for what is not HTTP, and a stop that loses no answer. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, STATUS_CODES, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { portRefusal } from '../../process/port-refusal.ts';
import { answerHeaders, type Headers } from '../reply/answer-headers.ts';
import type { GatewaySettings } from '../gateway.settings.ts';
import { endIdleConnections } from './idle-connections.ts';

export type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;

/** What a request line and its headers may have together, in bytes. It bounds paths, queries and tokens too. */
export const MAX_HEADER_BYTES = 16_384;
/** What takes too long is looked for this often at least. */
const CHECK_INTERVAL_MS = 5_000;
/** How long a caller that is refused by the parser may take to read why. */
const LINGER_MS = 1_000;
/** How long nothing may move on a connection with a request: longer than any endpoint takes to begin its answer. */
export const STILL_MS = 120_000;
/** What is in flight at a stop has this long; the process has ten seconds in all. */
const STOP_TIMEOUT_MS = 8_000;

/** Failures of the HTTP parser, before there is a request. */
const PARSER_FAILURES: Record<string, { status: number; message: string }> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    message: `The address and the headers may have at most ${MAX_HEADER_BYTES} bytes together`,
  },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, message: 'The request took too long to arrive: send it again, faster' },
};
const UNREADABLE = { status: 400, message: 'The request is not readable as HTTP/1.1' };

type ServerSettings = Pick<
  GatewaySettings,
  'maxConnections' | 'headersTimeoutMs' | 'requestTimeoutMs' | 'keepAliveTimeoutMs'
>;

export class HttpServer {
  readonly server: Server;
  #closed: Promise<void> | undefined;

  /** @param stillMs how long nothing may move on a connection with a request; for tests */
  constructor(listener: RequestListener, settings: ServerSettings, stillMs = STILL_MS) {
    const receive: RequestListener = (request, response) => {
      if (request.headers.host === undefined && request.httpVersion === '1.1')
        answerBare(response, 400, 'Send a Host header');
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
        // Node's own refusal would be no JSON.
        requireHostHeader: false,
      },
      receive,
    );
    this.server.maxConnections = settings.maxConnections;
    // Whoever takes nothing of its answer would keep its connection for good.
    this.server.timeout = stillMs;
    endIdleConnections(this.server, settings.keepAliveTimeoutMs + settings.requestTimeoutMs, checkEveryMs);
    // Past a number of headers Node drops the rest without a word, and a dropped condition is a condition not met.
    this.server.maxHeadersCount = 0;
    // The reader of the body says "continue", once it is known that the body is wanted.
    this.server.on('checkContinue', receive);
    this.server.on('checkExpectation', (_request, response) => {
      answerBare(response, 417, 'The only expectation that is known here is 100-continue');
    });
    this.server.on('clientError', answerUnreadable);
    this.server.on('connect', (_request, socket) => {
      socket.on('error', () => socket.destroy());
      answerSocket(socket, 405, 'This is no proxy: use another method', { Allow: 'GET, HEAD, POST, PUT, OPTIONS' });
    });
  }

  /** True once a stop has begun. */
  get stopping(): boolean {
    return this.#closed !== undefined;
  }

  /** Where it listens. */
  get address(): AddressInfo {
    return this.server.address() as AddressInfo;
  }

  /** @throws StartRefused with one clear line when the address cannot be listened on */
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

/** An answer that is made where there is no request to speak of: its headers and its body. */
function bareAnswer(status: number, message: string): { headers: Headers; body: string } {
  const body = JSON.stringify({ error: STATUS_CODES[status], message });
  const own = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body), Connection: 'close' };
  return { headers: { ...answerHeaders(randomUUID()), ...own }, body };
}

/** Refuses a request that is not worth reading. */
function answerBare(response: ServerResponse, status: number, message: string): void {
  const { headers, body } = bareAnswer(status, message);
  response.writeHead(status, headers).end(body);
}

function answerUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  // An answer that is on its way would end in the middle, with ours as a part of it.
  const { _httpMessage: present } = socket as Socket & { _httpMessage?: ServerResponse };
  if (error.code === 'ECONNRESET' || !socket.writable || present?.headersSent) {
    socket.destroy();
    return;
  }
  const { status, message } = PARSER_FAILURES[error.code ?? ''] ?? UNREADABLE;
  answerSocket(socket, status, message);
}

/** Answers where Node has no response to write to, and closes the connection, also when the other side does not. */
function answerSocket(socket: Duplex, status: number, message: string, more: Record<string, string> = {}): void {
  const { headers, body } = bareAnswer(status, message);
  const lines = Object.entries({ ...headers, ...more }).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', body].join('\r\n'));
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}
