/** Moleculer's NATS transporter, extended to report what NATS forbids and to notice undelivered requests at once. */
import { Transporters } from 'moleculer';
import { createInbox, Events, type Msg, type NatsConnection, type NatsError } from 'nats';
import { StartRefused } from '../../process/refusal.ts';
import type { MeshSettings } from '../mesh.settings.ts';
import { INBOX_PREFIX, natsOptions } from './nats-options.ts';
import { refusalBy } from './nats-refusal.ts';
import { RequestUndelivered } from './undelivered.ts';

/** The transporter. Ends the process when NATS refuses the first connection, or forbids a subscription. */
export class MeshTransporter extends Transporters.NATS {
  readonly #mesh: MeshSettings;
  #complaint: string | undefined;
  #linked = false;
  /** Nodes that are asked whether they are gone. */
  readonly #asking = new Map<string, Promise<boolean>>();
  /** The inbox in which NATS reports requests that reached no subscriber. */
  #undelivered: string | undefined;

  constructor(mesh: MeshSettings) {
    super(natsOptions(mesh, 'waybill'));
    this.#mesh = mesh;
  }

  /** Whether packets can be sent and received now. A dead connection is noticed within about two seconds. */
  get linked(): boolean {
    return this.#linked;
  }

  override async connect(): Promise<void> {
    try {
      await super.connect();
    } catch (error) {
      const refusal = refusalBy(this.#mesh, error);
      // Otherwise Moleculer would try again every five seconds.
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
   * Publishes a request or a ping with a reply subject, although its answer comes as a packet of its own: NATS then reports
   * at once when nobody is subscribed, where Moleculer would wait for a timeout or a missed heartbeat.
   */
  override send(topic: string, data: Buffer, about: { packet?: SentPacket } = {}): Promise<void> {
    const mark = markOf(about.packet);
    if (mark === undefined || !this.client) return super.send(topic, data);
    (this.client as NatsConnection).publish(topic, data, { reply: `${this.#undelivered}.${mark}` });
    return Promise.resolve();
  }

  /**
   * Drops the node that a packet did not reach, and fails the request: others to it are lost or fail in the same way. In a
   * mesh with keys the notice alone proves nothing, because whoever sees the request can send one.
   */
  #unheard(error: NatsError | null, { subject, headers }: Msg): void {
    if (error !== null || headers?.code !== NO_RESPONDERS) return;
    const id = subject.slice(subject.lastIndexOf('.') + 1);
    const { pendingRequests } = this.transit as unknown as Pending;
    const request = pendingRequests.get(id);
    const nodeID = id.startsWith(PING_MARK)
      ? Buffer.from(id.slice(PING_MARK.length), 'base64url').toString()
      : request?.nodeID;
    if (nodeID === undefined) return;
    const drop = (): void => {
      if (request !== undefined && pendingRequests.delete(id)) {
        request.reject(new RequestUndelivered(request.action?.name, nodeID));
      }
      (this.broker.registry as unknown as Registry).nodes.disconnected(nodeID, true);
    };
    if (this.#mesh.keys === undefined) drop();
    else void this.#isSilent(nodeID).then((silent) => silent && drop());
  }

  /** Whether a node does not answer a ping in time. Only the node itself can seal the answer. */
  #isSilent(nodeID: string): Promise<boolean> {
    const known = this.#asking.get(nodeID);
    if (known) return known;
    const asked = new Promise<boolean>((resolve) => {
      const { localBus } = this.broker;
      const end = (silent: boolean): void => {
        clearTimeout(timer);
        localBus.off('$node.pong', heard);
        this.#asking.delete(nodeID);
        resolve(silent);
      };
      const heard = (pong: { nodeID: string }): void => {
        if (pong.nodeID === nodeID) end(false);
      };
      const timer = setTimeout(() => end(true), PONG_WITHIN_MS);
      localBus.on('$node.pong', heard);
    });
    this.#asking.set(nodeID, asked);
    void this.transit.sendPing(nodeID);
    return asked;
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

  // Moleculer's own handler would throw here, and the client would stop reading the connection.
  #refused(error: NatsError, subject: string): void {
    if (!error.isPermissionError()) return;
    const servers = this.#mesh.servers.join(', ');
    const refusal = new StartRefused(
      `NATS at ${servers} forbids this process to subscribe to ${subject}: allow it in the permissions of its user`,
    );
    this.broker.fatal(refusal.message, refusal);
  }

  /** Logs later refusals, once each: an operator can fix them while the process runs. */
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

/** How long a node that is said to be gone may take to answer. */
const PONG_WITHIN_MS = 300;

/** The status with which NATS answers a message without subscribers. */
const NO_RESPONDERS = 503;

/** Begins the mark of a ping; the node it is sent to follows. Ids of requests have no such beginning. */
const PING_MARK = 'ping~';

/** The fields of a packet that decide how it is sent. */
interface SentPacket {
  type: string;
  target: string | null;
  payload: { id?: string } | null;
}

/** What tells a packet that reached nobody from others; undefined for packets that need no notice. */
function markOf(packet: SentPacket | undefined): string | undefined {
  if (packet?.type === 'REQ') return packet.payload?.id;
  if (packet?.type !== 'PING' || !packet.target) return undefined;
  return PING_MARK + Buffer.from(packet.target).toString('base64url');
}

/** The requests that Moleculer's transit keeps until their answers come; its types omit them. */
interface Pending {
  pendingRequests: Map<string, { action?: { name?: string }; nodeID: string; reject(error: Error): void }>;
}

/** Moleculer's list of nodes; its types omit `disconnected`. */
interface Registry {
  nodes: { disconnected(nodeID: string, isUnexpected: boolean): void };
}

/** The subject without what varies: `MOL-waybill.RES` for `MOL-waybill.RES.node-1`. */
const kindOf = (subject: string): string => subject.split('.').slice(0, 2).join('.');
