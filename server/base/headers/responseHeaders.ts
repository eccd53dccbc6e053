/** Response headers as Node and undici give them; a header that was sent several times is a list. */
export type ResponseHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;
