/** HTTP as bytes on a socket, so that requests can be sent that no client would send; connections are kept. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A request. Header names and values go out as they are, more of a name than one if so given. */
export interface Request {
  method: string;
  target: string;
  headers: readonly (readonly [name: string, value: string])[];
  body?: Buffer;
}

export interface Response {
  status: number;
  /** Names in lower case. */
  headers: Record<string, string>;
  text: string;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const PATIENCE_MS = 15_000;

/** A few connections to one port, used again as long as the server keeps them. */
export class Wire {
  readonly #port: number;
  readonly #idle: Socket[] = [];

  constructor(port: number) {
    this.#port = port;
  }

  /** Sends a request with a correct length, and reads its answer. @throws Error when there is none */
  async ask({ method, target, headers, body }: Request): Promise<Response> {
    const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    const length = body === undefined ? '' : `Content-Length: ${body.length}\r\n`;
    const head = Buffer.from(`${method} ${target} HTTP/1.1\r\nHost: waybill\r\n${lines}${length}\r\n`, 'latin1');
    const kept = this.#idle.pop();
    const socket = kept ?? (await this.#open());
    socket.write(body === undefined ? head : Buffer.concat([head, body]));
    const response = await readOne(socket, method);
    // An idle connection may be closed by the server just when it is used again.
    if (response === undefined && kept !== undefined) return await this.ask({ method, target, headers, body });
    if (response === undefined) throw new Error('the connection was closed without an answer');
    if (response.headers.connection === 'close' || socket.destroyed || socket.readableEnded) socket.destroy();
    else this.#idle.push(socket);
    return response;
  }

  /** Sends bytes unchanged, closes its side, and returns everything received until the end. */
  async send(bytes: Buffer): Promise<Buffer> {
    const socket = await this.#open();
    const chunks: Buffer[] = [];
    const timer = setTimeout(() => socket.destroy(new Error('the connection was not closed')), PATIENCE_MS);
    try {
      // A server may close before it has read everything.
      socket.on('error', (error: NodeJS.ErrnoException) => error.code ?? chunks.push(Buffer.from(error.message)));
      socket.end(bytes);
      for await (const chunk of socket) chunks.push(chunk as Buffer);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    } finally {
      clearTimeout(timer);
    }
    return Buffer.concat(chunks);
  }

  close(): void {
    for (const socket of this.#idle.splice(0)) socket.destroy();
  }

  async #open(): Promise<Socket> {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return socket;
  }
}

/** The next answer on a connection; undefined when it ends before there is one. */
function readOne(socket: Socket, method: string): Promise<Response | undefined> {
  return new Promise((resolve, reject) => {
    let bytes: Buffer = Buffer.alloc(0);
    const timer = setTimeout(() => finish(new Error(`no answer within ${PATIENCE_MS} ms`)), PATIENCE_MS);
    const finish = (outcome: Response | Error | undefined): void => {
      clearTimeout(timer);
      socket.off('data', read).off('close', ended).off('error', ended);
      if (!(outcome instanceof Error)) resolve(outcome);
      else {
        socket.destroy();
        reject(outcome);
      }
    };
    const read = (chunk: Buffer): void => {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      const parsed = parseResponse(bytes, method);
      if (parsed) finish(parsed.response);
    };
    const ended = (): void => finish(undefined);
    socket.on('data', read).once('close', ended).once('error', ended);
  });
}

/** The first answer in these bytes, and what comes after it; undefined while it is not whole. */
export function parseResponse(bytes: Buffer, method: string): { response: Response; rest: Buffer } | undefined {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd < 0) return undefined;
  const [first = '', ...lines] = bytes.subarray(0, headEnd).toString('latin1').split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1]);
  const rest = bytes.subarray(headEnd + HEAD_END.length);
  if (status === 100) return parseResponse(rest, method);
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const empty = method === 'HEAD' || status === 204 || status === 304;
  const length = empty ? 0 : Number(headers['content-length'] ?? 0);
  if (headers['transfer-encoding'] !== undefined && !empty) throw new Error('an answer without a length');
  if (rest.length < length) return undefined;
  return {
    response: { status, headers, text: rest.subarray(0, length).toString() },
    rest: rest.subarray(length),
  };
}
