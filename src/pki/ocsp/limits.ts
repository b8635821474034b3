/** How much of an OCSP message is read before it is refused: design choices, not clauses. */

/** Bytes of a whole message. Responses of public CAs have 300 to 3,000. */
export const defaultMaxBytes = 65_536

/** Certificates that a response may carry. One is usual, two occur. */
export const maxCertificates = 8

/** Entries of a response, and of a request. */
export const maxSingleResponses = 64
