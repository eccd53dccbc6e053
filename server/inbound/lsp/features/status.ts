import { getStatusRequest, noticeNotification, statusNotification } from '../../../api/messages.ts';
import { StatusSender } from '../statusSender.ts';
import type { LspFeature } from './feature.ts';

/** The state for the editor's views, on request and after each change, and notices for the user. */
export const statusFeature: LspFeature = {
  name: 'status',
  register({ editor, router, localEndpoint }) {
    const sender = new StatusSender(() => router.status(localEndpoint.status()), snapshot => editor.notify(statusNotification, snapshot), router.log);
    router.onChange(() => { sender.changed(); });
    router.onNotice(notice => { editor.notify(noticeNotification, notice); });
    editor.onRequest(getStatusRequest, () => router.status(localEndpoint.status()));
    return { localEndpointChanged: () => sender.changed(), close: () => sender.stop() };
  },
};
