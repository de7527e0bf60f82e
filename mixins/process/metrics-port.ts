/** The port on which a process, with or without a gateway, serves its metrics and health to monitoring. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Middleware, ServiceBroker } from 'moleculer';
import { NotFound } from '../../machines/shared/failure.ts';
import { MethodNotAllowed } from '../gateway/gateway.failures.ts';
import { answerHeaders } from '../gateway/reply/answer-headers.ts';
import { failureBody, toFailure } from '../gateway/reply/failure-reply.ts';
import { shownAs } from '../gateway/reply/failure-table.ts';
import { PROMETHEUS_CONTENT_TYPE, readMetrics } from '../metrics/prometheus.ts';
import type { MetricsPortSettings } from './metrics-port.settings.ts';
import { portRefusal } from './port-refusal.ts';
import { checkReadiness, notReady } from './readiness.ts';

/** More than any monitoring needs. Further connections are closed at once. */
const MAX_CONNECTIONS = 64;
const MAX_HEADER_BYTES = 8_192;
/** No connection lives longer, whatever it sends or leaves unread. It carries one request, which takes a second or two. */
const LIFETIME_MS = 10_000;
/** How long a stop waits for requests that are still being answered. */
const STOP_TIMEOUT_MS = 200;

interface Answer {
  status: number;
  type: string;
  body: string;
  headers?: Record<string, string>;
}

/**
 * Listens from before the first service starts until after the last has stopped, so that start and stop can be observed.
 * It never keeps the process alive.
 */
export class MetricsPort {
  readonly #server: Server;
  readonly #services: readonly string[];
  #broker: ServiceBroker | undefined;

  private constructor(services: readonly string[]) {
    this.#services = services;
    this.#server = createServer(
      { maxHeaderSize: MAX_HEADER_BYTES, connectionsCheckingInterval: LIFETIME_MS, requireHostHeader: false },
      (request, response) => void this.#serve(request, response),
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on('connection', boundLifetime).on('clientError', answerUnreadable);
    this.#server.unref();
  }

  /**
   * Begins to listen. `services` are those that this process will run.
   * @throws StartRefused with one clear line when it cannot listen on the address
   */
  static async open(settings: MetricsPortSettings, services: readonly string[]): Promise<MetricsPort> {
    const port = new MetricsPort(services);
    await new Promise<void>((done, fail) => {
      port.#server.once('error', (error) => fail(portRefusal(error, settings, 'METRICS_')));
      port.#server.listen(settings.port, settings.host, done);
    });
    return port;
  }

  /** The address it listens on. */
  get address(): AddressInfo {
    return this.#server.address() as AddressInfo;
  }

  /** The middleware that hands over the broker whose metrics and services it serves. */
  middleware(): Middleware {
    return {
      name: 'MetricsPort',
      // Not earlier: only a starting broker has all its services.
      starting: (broker) => {
        this.#broker = broker;
        const { address, family, port } = this.address;
        const host = family === 'IPv6' ? `[${address}]` : address;
        broker.logger.info(`Metrics and health are served on http://${host}:${port}`);
        return Promise.resolve();
      },
    };
  }

  /** Stops listening, and resolves when every connection is closed. */
  async stop(): Promise<void> {
    const deadline = setTimeout(() => this.#server.closeAllConnections(), STOP_TIMEOUT_MS);
    await new Promise<void>((done) => {
      this.#server.close(() => done());
    });
    clearTimeout(deadline);
  }

  async #serve({ method = '', url = '' }: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, type, body, headers } = await this.#answer(method, url.split('?', 1)[0] as string);
    const length = Buffer.byteLength(body);
    response.writeHead(status, {
      ...answerHeaders(randomUUID()),
      ...headers,
      'Content-Type': type,
      'Content-Length': length,
      Connection: 'close',
    });
    response.end(body);
  }

  async #answer(method: string, path: string): Promise<Answer> {
    try {
      const show = this.#pages[path];
      if (!show) throw new NotFound('No such resource; this port serves /metrics, /health/live and /health/ready');
      if (method !== 'GET' && method !== 'HEAD') throw new MethodNotAllowed(`${path} allows only GET and HEAD`);
      return await show();
    } catch (error) {
      const failure = toFailure(error);
      const { status } = shownAs(failure);
      const headers = { ...(status === 405 && { Allow: 'GET, HEAD' }), ...(status === 503 && { 'Retry-After': '1' }) };
      return { ...json(failureBody(failure)), status, headers };
    }
  }

  readonly #pages: Readonly<Record<string, () => Promise<Answer>>> = {
    '/health/live': async () => json({ status: 'live' }),
    '/health/ready': async () => json(await checkReadiness(this.#startedBroker)),
    '/metrics': async () => ({
      status: 200,
      type: PROMETHEUS_CONTENT_TYPE,
      body: await readMetrics(this.#startedBroker),
    }),
  };

  get #startedBroker(): ServiceBroker {
    if (!this.#broker) throw notReady(this.#services, 'this process is starting');
    return this.#broker;
  }
}

const json = (body: object): Answer => ({ status: 200, type: 'application/json', body: JSON.stringify(body) });

function boundLifetime(socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), LIFETIME_MS).unref();
  socket.unref().once('close', () => clearTimeout(timer));
}

/** Answers a request that the HTTP parser refuses. */
function answerUnreadable({ code }: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const large = code === 'HPE_HEADER_OVERFLOW';
  const error = large ? 'Request Header Fields Too Large' : 'Bad Request';
  const message = large
    ? `The request line and headers must not exceed ${MAX_HEADER_BYTES} bytes`
    : 'The request is not valid HTTP/1.1';
  const body = JSON.stringify({ error, message });
  const head = [`HTTP/1.1 ${large ? 431 : 400} ${error}`, 'Content-Type: application/json', 'Connection: close'];
  socket.end([...head, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n'));
}
