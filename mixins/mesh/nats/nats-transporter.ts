/** Moleculer's transporter for NATS, which says so when NATS does not let it do what a node must do. */
import { Transporters } from 'moleculer';
import { createInbox, Events, type Msg, type NatsConnection, type NatsError } from 'nats';
import { StartRefused } from '../../process/refusal.ts';
import type { MeshSettings } from '../mesh.settings.ts';
import { INBOX_PREFIX, natsOptions } from './nats-options.ts';
import { refusalBy } from './nats-refusal.ts';
import { RequestUndelivered } from './undelivered.ts';

/** The transporter. Ends the process when NATS refuses it at the first connection, or lets it subscribe to nothing. */
export class MeshTransporter extends Transporters.NATS {
  readonly #mesh: MeshSettings;
  #complaint: string | undefined;
  #linked = false;
  /** Below it comes what NATS says of requests that reached nobody. */
  #undelivered: string | undefined;

  constructor(mesh: MeshSettings) {
    super(natsOptions(mesh, 'waybill'));
    this.#mesh = mesh;
  }

  /** Whether packets can go out and come in now. A connection that carries nothing is known as lost within some two seconds. */
  get linked(): boolean {
    return this.#linked;
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
    const client = this.client as NatsConnection;
    void this.#watch(client);
    this.#linked = true;
    this.#undelivered = createInbox(INBOX_PREFIX);
    client.subscribe(`${this.#undelivered}.*`, { callback: (error, message) => this.#unheard(error, message) });
    return super.onConnected(wasReconnect);
  }

  /**
   * A request is published with a subject for an answer, though its answer comes as a packet of its own: NATS then says
   * at once when nobody is there to take it, where Moleculer would wait for a timeout, or for a heartbeat to be missed.
   */
  override send(topic: string, data: Buffer, about: { packet?: SentPacket } = {}): Promise<void> {
    const { packet } = about;
    const id = packet?.type === 'REQ' ? packet.payload?.id : undefined;
    if (id === undefined || !this.client) return super.send(topic, data);
    (this.client as NatsConnection).publish(topic, data, { reply: `${this.#undelivered}.${id}` });
    return Promise.resolve();
  }

  /** Fails the request that reached nobody, and forgets the node: its other requests are lost, or fail in the same way. */
  #unheard(error: NatsError | null, { subject, headers }: Msg): void {
    if (error !== null || headers?.code !== NO_RESPONDERS) return;
    const id = subject.slice(subject.lastIndexOf('.') + 1);
    const { pendingRequests } = this.transit as unknown as Pending;
    const request = pendingRequests.get(id);
    if (!request) return;
    pendingRequests.delete(id);
    request.reject(new RequestUndelivered(request.action?.name, request.nodeID));
    (this.broker.registry as unknown as Registry).nodes.disconnected(request.nodeID, true);
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
      if (type === Events.Disconnect) this.#linked = false;
      if (type === Events.Reconnect) {
        this.#linked = true;
        this.#complaint = undefined;
      }
      if (type !== Events.Error) continue;
      const what = permissionContext
        ? `${permissionContext.operation} ${kindOf(permissionContext.subject)}`
        : (data as string);
      if (this.#complaint !== what) this.logger.error(`NATS refuses this process: ${what}`);
      this.#complaint = what;
    }
  }
}

/** The status with which NATS answers what nobody is subscribed to. */
const NO_RESPONDERS = 503;

/** A packet as far as it matters to how it is sent. */
interface SentPacket {
  type: string;
  payload: { id?: string } | null;
}

/** What Moleculer's transit keeps of a request until its answer comes; its types leave it out. */
interface Pending {
  pendingRequests: Map<string, { action?: { name?: string }; nodeID: string; reject(error: Error): void }>;
}

/** Moleculer's own list of nodes; its types leave `disconnected` out. */
interface Registry {
  nodes: { disconnected(nodeID: string, isUnexpected: boolean): void };
}

/** `MOL-waybill.RES.node-1` is of the kind `MOL-waybill.RES`. */
const kindOf = (subject: string): string => subject.split('.').slice(0, 2).join('.');
