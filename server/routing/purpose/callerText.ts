/** Tags in which tools wrap what a person wrote, among text of their own. */
const askedTags = ['userRequest', 'user_query', 'user_message', 'task', 'feedback', 'answer'];
/** Tags in which tools add text of their own to what a person wrote. */
const harnessTags = [
  'system-reminder', 'environment_context', 'environment_details', 'user_instructions', 'INSTRUCTIONS', 'permissions instructions', 'ide_selection', 'ide_opened_file', 'local-command-stdout',
  'local-command-caveat', 'command-message', 'command-name', 'attachments', 'attachment', 'context', 'reminderInstructions', 'reminder', 'editorContext', 'repoContext', 'workspace_info', 'environment_info',
  'customInstructions', 'additional_data', 'manually_attached_skills', 'session_context', 'diagnostics', 'file_content', 'documents',
];

/** What a person wrote, without what a tool put around it. */
export function withoutHarness(text: string): string {
  if (!text.includes('<')) return text;
  for (const tag of askedTags) {
    const inner = innerText(text, tag);
    if (inner !== undefined) return inner;
  }
  let left = text;
  for (const tag of harnessTags) left = withoutTag(left, tag);
  return left;
}

function innerText(text: string, tag: string): string | undefined {
  const open = text.lastIndexOf(`<${tag}>`);
  if (open < 0) return undefined;
  const from = open + tag.length + 2;
  const close = text.indexOf(`</${tag}>`, from);
  return text.slice(from, close < 0 ? undefined : close).trim();
}

/** An element that does not end goes on to the end of the text. */
function withoutTag(text: string, tag: string): string {
  let open = text.indexOf(`<${tag}`);
  if (open < 0) return text;
  let left = '';
  let from = 0;
  const closing = `</${tag}>`;
  while (open >= 0) {
    const after = text[open + tag.length + 1];
    const close = after === '>' || after === ' ' || after === '\n' ? text.indexOf(closing, open) : open;
    if (close === open) {
      open = text.indexOf(`<${tag}`, open + 1);
      continue;
    }
    left += text.slice(from, open);
    if (close < 0) return left;
    from = close + closing.length;
    open = text.indexOf(`<${tag}`, from);
  }
  return left + text.slice(from);
}
