/** Certificates for one test file: an authority and the certificates it signs. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generate, type SelfsignedOptions } from 'selfsigned';

/** The paths of two PEM files. */
export interface Certificate {
  cert: string;
  key: string;
}

const ELLIPTIC = { keyType: 'ec', algorithm: 'sha256' } as const;
const AUTHORITY: SelfsignedOptions['extensions'] = [
  { name: 'basicConstraints', cA: true, critical: true },
  { name: 'keyUsage', keyCertSign: true, critical: true },
];
const ON_THIS_MACHINE: SelfsignedOptions['extensions'] = [
  {
    name: 'subjectAltName',
    altNames: [
      { type: 7, ip: '127.0.0.1' },
      { type: 2, value: 'localhost' },
    ],
  },
];

const named = (value: string) => [{ name: 'commonName', value }];

/** An authority of its own in this folder. */
export async function authority(folder: string): Promise<{ ca: string; sign: (name: string) => Promise<Certificate> }> {
  const root = await generate(named('authority'), { ...ELLIPTIC, extensions: AUTHORITY });
  const write = async (name: string, pem: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, pem);
    return path;
  };
  return {
    ca: await write('ca.pem', root.cert),
    sign: async (name) => {
      const ca = { key: root.private, cert: root.cert };
      const signed = await generate(named(name), { ...ELLIPTIC, ca, extensions: ON_THIS_MACHINE });
      return { cert: await write(`${name}.pem`, signed.cert), key: await write(`${name}.key`, signed.private) };
    },
  };
}
