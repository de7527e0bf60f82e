/** A small JSON client that never throws for a status. */

export interface Reply<Body = unknown> {
  status: number;
  headers: Headers;
  /** The parsed JSON; the text when it is none; undefined when there is no body. */
  body: Body;
}

/** Sends one request. `body` is sent as JSON, a string as it is. */
export async function http<Body = Record<string, unknown>>(
  method: string,
  url: string,
  { body, headers = {} }: { body?: unknown; headers?: Record<string, string> } = {},
): Promise<Reply<Body>> {
  const response = await fetch(url, {
    method,
    headers: body === undefined ? headers : { 'Content-Type': 'application/json', ...headers },
    body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
    redirect: 'manual',
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: parsed(text) as Body };
}

function parsed(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
