/** About as much as one line of a notification holds. */
const charactersOfALine = 50;

/** VS Code shows a notification without buttons as one line and cuts the rest off; with a button it shows all of it. */
export function toastButtons(message: string, buttons: readonly string[]): string[] {
  return buttons.length === 0 && message.length > charactersOfALine ? ['OK'] : [...buttons];
}
