/** A reporter of the Node test runner that writes nothing but the final counts, as one line of JSON. */
export default async function* countReporter(events) {
  for await (const { type, data } of events) {
    // The summary of the whole run is the one that belongs to no file.
    if (type === 'test:summary' && data.file === undefined) yield `${JSON.stringify(data.counts)}\n`;
  }
}
