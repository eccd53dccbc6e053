import { Exchange } from '../../exchange/exchange.ts';
import type { ByteSink, ExchangeInput } from '../../exchange/request.ts';
import type { ExchangeServices } from '../../exchange/services.ts';

/** Sends copies as exchanges of their own. @param services with observers of copies only, and with their admission */
export function copySender(services: () => ExchangeServices): (input: ExchangeInput, sink: ByteSink) => { cancel(): void } {
  return (input, sink) => {
    const copy = new Exchange(services(), input, sink);
    copy.start();
    return copy;
  };
}
