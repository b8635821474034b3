/** The door `staplewright/responder`: answers OCSP requests for an issuer of one's own. Only re-exports. */

export type { AnsweredRequest, Responder, ResponderAnswer, ResponderOptions } from './contract.ts'
export { createResponder } from './responder.ts'
