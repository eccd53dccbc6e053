import { t } from '@vscode/l10n';
import { partOfRoute, withField, withPart, type Policy } from './policy.ts';

export const afterCommitPolicy: Policy = {
  title: t('When a stream to a tool breaks off'),
  fields: [{
    kind: 'choice', title: t('When a stream to a tool breaks off'),
    values: [
      { label: t('Tell the tool'), detail: t("The tool gets its protocol's own error. VS Code's chat starts again in sight"), change: settings => withField(settings, 'afterCommit', undefined), isOf: ({ afterCommit }) => afterCommit !== 'resume' },
      {
        label: t('Go on with the next model'), detail: t('It continues from what was said, unless a tool call was handed over. Answers are rewritten on their way'),
        change: settings => withField(settings, 'afterCommit', 'resume'), isOf: ({ afterCommit }) => afterCommit === 'resume',
      },
    ],
  }],
};

export const hedgePolicy: Policy = {
  title: t('When the first model takes long to begin'),
  unset: t('Ask a second model for inline completions'),
  fields: [
    {
      kind: 'choice', title: t('When the first model takes long to begin'),
      values: [
        { label: t('Ask a second model for inline completions'), detail: t('The first to begin answers. Every other request waits for its first model'), change: settings => withPart(settings, 'hedge', 'enabled', undefined), isOf: ({ hedge }) => hedge?.enabled === undefined },
        { label: t('Ask a second model for every request'), detail: t('The first to begin answers. Both are paid for, up to a daily cap'), change: settings => withPart(settings, 'hedge', 'enabled', true), isOf: ({ hedge }) => hedge?.enabled === true },
        { label: t('Wait'), detail: t('A second model is asked only when the first one fails'), change: settings => withPart(settings, 'hedge', 'enabled', false), isOf: ({ hedge }) => hedge?.enabled === false },
      ],
    },
    {
      kind: 'number', title: t('Wait before the second'), prompt: t('How long to wait for the first token'), unit: 's', perUnit: 1000, whole: true, min: 0.01, max: 600,
      unset: t('as long as 95 of 100 first tokens take'), shown: ({ hedge }) => hedge?.enabled !== false, ...partOfRoute('hedge', 'afterMs'),
    },
    {
      kind: 'number', title: t('Daily cap'), prompt: t('What second requests of this route may cost a day, in US dollars'), unit: t('US dollars'), min: 0, max: 100_000,
      unset: t('1 US dollar'), shown: ({ hedge }) => hedge?.enabled !== false, ...partOfRoute('hedge', 'dailyCapUsd'),
    },
  ],
};

export const refusalPolicy: Policy = {
  title: t('When a model refuses for content policy'),
  fields: [{
    kind: 'choice', title: t('When a model refuses for content policy'),
    values: [
      { label: t('Show the refusal'), detail: t('As the model gave it'), change: settings => withField(settings, 'onRefusal', undefined), isOf: ({ onRefusal }) => onRefusal !== 'ask' },
      { label: t('Ask me'), detail: t("VS Code's chat asks whether the next model may try"), change: settings => withField(settings, 'onRefusal', 'ask'), isOf: ({ onRefusal }) => onRefusal === 'ask' },
    ],
  }],
};
