/** The one object VS Code gives a webview's script. */
interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare global {
  /** May be called once in a document's life. */
  function acquireVsCodeApi(): VsCodeApi;
}

/** The extension, as a page sees it. `Outgoing` is what the page may say. */
export interface Host<Outgoing> {
  post(message: Outgoing): void;
  /** What the page remembered; unknown, because an older version may have written it. */
  remembered(): unknown;
  remember(state: unknown): void;
}

/** Connects to the extension. Call once. */
export function connectHost<Outgoing>(): Host<Outgoing> {
  const api = acquireVsCodeApi();
  return {
    post: (message) => api.postMessage(message),
    remembered: () => api.getState(),
    remember: (state) => api.setState(state),
  };
}

/** Receives messages of the extension; what does not have their shape is ignored. */
export function listenToHost<Incoming>(isIncoming: (message: unknown) => message is Incoming, hear: (message: Incoming) => void): void {
  window.addEventListener('message', (event: MessageEvent<unknown>) => {
    if (isIncoming(event.data)) hear(event.data);
  });
}
