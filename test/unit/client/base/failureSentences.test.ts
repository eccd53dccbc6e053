import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { shownFailure } from '../../../../client/base/failureSentences.ts';
import { useLanguage } from '../../../../server/api/localization/localization.ts';
import { networkFailure, type CallStage } from '../../../../server/upstream/failures/networkFailure.ts';

const texts = JSON.parse(readFileSync(new URL('../../../../l10n/bundle.l10n.vi.json', import.meta.url), 'utf8')) as Record<string, string>;
const failure = (code: string, stage: CallStage = 'connecting'): string => networkFailure(Object.assign(new Error('x'), { code }), 'north', stage).message;

describe('sentences of a server about what failed', () => {
  it('stay as they are in English', () => {
    for (const sentence of ['north refused the connection.', 'Fire drill: north failed (500).', 'north rejected key 1 …a1b2 (401); replace the key, or check what it may use.', 'it is down', 'Something else.', '']) {
      assert.equal(shownFailure(sentence), sentence);
    }
  });

  describe('in Vietnamese', () => {
    before(() => { useLanguage('vi', texts); });
    after(() => { useLanguage('en', undefined); });

    it('are translated with names, status and next action, and the words of the provider stay', () => {
      assert.equal(shownFailure('north refused the connection.'), 'north từ chối kết nối.');
      assert.equal(shownFailure('Fire drill: north refused the connection.'), 'Diễn tập sự cố: north từ chối kết nối.');
      assert.equal(shownFailure('north rejected key 1 …a1b2 (401); replace the key, or check what it may use.'), 'north từ chối key 1 …a1b2 (401); hãy thay khóa, hoặc kiểm tra khóa được dùng những gì.');
      assert.equal(shownFailure('north failed (500): Sorry; the server is overloaded.'), 'north thất bại (500): Sorry; the server is overloaded.');
      assert.equal(shownFailure('The conversation is too long for gpt at north; shorten it or choose a model with a larger context window.'), 'Cuộc hội thoại quá dài cho gpt tại north; hãy rút ngắn hoặc chọn mô hình có cửa sổ ngữ cảnh lớn hơn.');
      assert.equal(shownFailure('the provider rejected every key'), 'nhà cung cấp đã từ chối mọi khóa');
    });

    it('are known as the server writes them', () => {
      const written = [
        ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_NODATA', 'EAI_AGAIN', 'EAI_FAIL', 'UND_ERR_CONNECT_TIMEOUT', 'ENETUNREACH', 'unheard'].map(code => failure(code)),
        failure('ECONNRESET', 'waiting'), failure('ETIMEDOUT', 'waiting'), failure('ECONNRESET', 'answering'),
      ];
      assert.deepEqual(written.filter(sentence => shownFailure(sentence) === sentence), []);
    });

    it('that are not known stay in English', () => {
      for (const sentence of ['A sentence about something else.', 'north', ' refused']) assert.equal(shownFailure(sentence), sentence);
    });
  });
});
