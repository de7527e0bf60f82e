/** Moleculer's transporter for NATS, which says so when NATS does not let it do what a node must do. */
import { Transporters } from 'moleculer';
import { Events, type NatsConnection, type NatsError } from 'nats';
import { StartRefused } from '../../process/refusal.ts';
import type { MeshSettings } from '../mesh.settings.ts';
import { natsOptions } from './nats-options.ts';
import { refusalBy } from './nats-refusal.ts';

/** The transporter. Ends the process when NATS refuses it at the first connection, or lets it subscribe to nothing. */
export class MeshTransporter extends Transporters.NATS {
  readonly #mesh: MeshSettings;
  #complaint: string | undefined;

  constructor(mesh: MeshSettings) {
    super(natsOptions(mesh, 'waybill'));
    this.#mesh = mesh;
  }

  override async connect(): Promise<void> {
    try {
      await super.connect();
    } catch (error) {
      const refusal = refusalBy(this.#mesh, error);
      // Otherwise it would be asked again every five seconds.
      if (refusal) this.broker.fatal(refusal.message, refusal);
      throw error;
    }
  }

  override onConnected(wasReconnect?: boolean): Promise<void> {
    void this.#watch(this.client as NatsConnection);
    return super.onConnected(wasReconnect);
  }

  override subscribe(type: string, nodeID?: string): Promise<void> {
    const subject = this.getTopicName(type, nodeID);
    (this.client as NatsConnection).subscribe(subject, {
      callback: (error, message) => {
        if (error) this.#refused(error, subject);
        else void this.receive(type, Buffer.from(message.data));
      },
    });
    return Promise.resolve();
  }

  // Moleculer's own handler would fail on it, and the connection would then be read no more.
  #refused(error: NatsError, subject: string): void {
    if (!error.isPermissionError()) return;
    const servers = this.#mesh.servers.join(', ');
    const refusal = new StartRefused(
      `NATS at ${servers} does not let this process subscribe to ${subject}: permit it there`,
    );
    this.broker.fatal(refusal.message, refusal);
  }

  /** Later refusals pass when an operator has mended them: they are told, once each. */
  async #watch(client: NatsConnection): Promise<void> {
    for await (const { type, data, permissionContext } of client.status()) {
      if (type === Events.Reconnect) this.#complaint = undefined;
      if (type !== Events.Error) continue;
      const what = permissionContext
        ? `${permissionContext.operation} ${kindOf(permissionContext.subject)}`
        : (data as string);
      if (this.#complaint !== what) this.logger.error(`NATS refuses this process: ${what}`);
      this.#complaint = what;
    }
  }
}

/** `MOL-waybill.RES.node-1` is of the kind `MOL-waybill.RES`. */
const kindOf = (subject: string): string => subject.split('.').slice(0, 2).join('.');
