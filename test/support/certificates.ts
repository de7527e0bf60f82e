/** Certificates for one test file, made by openssl: an authority, and what it signs. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const openssl = (...args: string[]): Promise<unknown> => run('openssl', args);

export interface Certificate {
  cert: string;
  key: string;
}

/** An authority of its own in this folder. */
export async function authority(folder: string): Promise<{ ca: string; sign: (name: string) => Promise<Certificate> }> {
  const file = (name: string): string => join(folder, name);
  const [ca, caKey] = [file('ca.pem'), file('ca.key')];
  const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  await openssl('req', '-x509', ...fresh, '-keyout', caKey, '-out', ca, '-days', '2', '-subj', '/CN=authority');
  return {
    ca,
    sign: async (name) => {
      const [cert, key, request] = [file(`${name}.pem`), file(`${name}.key`), file(`${name}.csr`)];
      const names = ['-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
      await openssl('req', ...fresh, '-keyout', key, '-out', request, '-subj', `/CN=${name}`, ...names);
      const by = ['-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-copy_extensions', 'copy'];
      await openssl('x509', '-req', '-in', request, ...by, '-days', '2', '-out', cert);
      return { cert, key };
    },
  };
}
