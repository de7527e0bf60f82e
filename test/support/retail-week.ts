/** The real week of `test/data`: its invoices, and those that can be orders. */
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

export interface InvoiceLine {
  stockCode: string;
  description: string;
  /** Negative on cancellations. */
  quantity: number;
  /** As printed: up to two decimals. */
  unitPrice: string;
}

export interface Invoice {
  /** Begins with `C` on cancellations. */
  number: string;
  /** Empty when the shop did not know its customer. */
  customerId: string;
  country: string;
  lines: InvoiceLine[];
}

/** Every invoice, in the order of the week. */
export async function readWeek(): Promise<Invoice[]> {
  const packed = await readFile(new URL('../data/online-retail-week.csv.gz', import.meta.url));
  const [, ...rows] = (await promisify(gunzip)(packed)).toString('utf8').trimEnd().split('\n').map(fieldsOf);
  const invoices = new Map<string, Invoice>();
  for (const [
    number = '',
    stockCode = '',
    description = '',
    quantity,
    ,
    unitPrice = '',
    customerId = '',
    country = '',
  ] of rows) {
    const invoice = invoices.get(number) ?? { number, customerId, country, lines: [] };
    invoices.set(number, invoice);
    invoice.lines.push({ stockCode, description, quantity: Number(quantity), unitPrice });
  }
  return [...invoices.values()];
}

/** One line of CSV. The week has no line breaks inside quotes. */
function fieldsOf(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'),
  );
}

export const isCancellation = (invoice: Invoice): boolean => invoice.number.startsWith('C');

/** Whether the invoice can be placed as an order: it sells something, at prices in whole cents. */
export function isOrdinary(invoice: Invoice): boolean {
  return (
    /^\d+$/.test(invoice.number) &&
    invoice.lines.every((line) => line.quantity > 0 && /^\d+(\.\d{1,2})?$/.test(line.unitPrice))
  );
}

/** Cents, read digit by digit. */
export function centsOf(price: string): bigint {
  const [whole = '0', fraction = ''] = price.split('.');
  return BigInt(whole) * 100n + BigInt(fraction.padEnd(2, '0'));
}

/** What an invoice comes to, in cents. */
export const totalOf = ({ lines }: Invoice): bigint =>
  lines.reduce((sum, line) => sum + centsOf(line.unitPrice) * BigInt(line.quantity), 0n);

/** A product: one stock code at one price. */
export const articleOf = ({ stockCode, unitPrice }: InvoiceLine): string => `${stockCode}@${centsOf(unitPrice)}`;

/** Units by article; of a cancellation, the units it takes back. */
export function unitsOf(invoice: Invoice): Map<string, number> {
  const units = new Map<string, number>();
  for (const line of invoice.lines) {
    units.set(articleOf(line), (units.get(articleOf(line)) ?? 0) + Math.abs(line.quantity));
  }
  return units;
}
