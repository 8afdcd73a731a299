import type { Codec } from '../codecs/codec.ts';
import { CometJsonCodec } from '../codecs/comet-json.ts';
import { CometCodec } from '../codecs/comet.ts';
import { MqttCodec } from '../codecs/mqtt.ts';
import { NatsCodec } from '../codecs/nats.ts';
import { SocketIoCodec } from '../codecs/socket-io.ts';
import type { Job } from './job.ts';

export function codecOf({ protocol, mode, size }: Job): Codec {
  const addressing = mode === 'fanout' ? 'group' : 'user';
  switch (protocol) {
    case 'comet':
      return new CometCodec(addressing);
    case 'comet-json':
      return new CometJsonCodec(addressing, size);
    case 'nats':
      return new NatsCodec(addressing);
    case 'mqtt':
      return new MqttCodec(addressing);
    case 'socket-io':
      return new SocketIoCodec(addressing);
  }
}
