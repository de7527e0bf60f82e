/** Plants a fault: an event counts as published when it was sent, whether JetStream has it or not. */
import { JetStreamStream } from '../../../mixins/events/stream/jetstream.ts';

const publish = Object.getOwnPropertyDescriptor(JetStreamStream.prototype, 'publish')
  ?.value as JetStreamStream['publish'];

JetStreamStream.prototype.publish = async function publishAndForget(event) {
  await publish.call(this, event).catch(() => undefined);
};
