/** What bytes are that are neither PEM nor any DER known here, said so that a person sees what went wrong. */

export interface Strange {
  readonly message: string
  readonly hint: string
}

/** What can be shown. */
export const wanted = 'a certificate, OCSP request, OCSP response or CRL'

/** Describes them; `text` is what they are as a text. */
export function describeStrange(bytes: Uint8Array, text: string): Strange {
  const words = text.slice(0, 4096).trim()
  const hint = 'a proxy, a login page or a wrong path may have answered in place of the file'
  if (bytes.length === 0)
    return { message: `it is empty, ${expected}`, hint: 'what made it failed, or is not done yet' }
  if (/^<(!doctype html|html|head|body|!--)/i.test(words)) {
    const title = /<title[^>]*>([^<]{1,80})/i
      .exec(words)?.[1]
      ?.replace(/[^\x20-\x7e]+/g, ' ')
      .trim()
    return { message: `an HTML page${title ? ` "${title}"` : ''}, ${expected}`, hint }
  }
  if (/^<\?xml/.test(words)) return { message: `an XML document, ${expected}`, hint }
  if (/^MI[A-Za-z0-9+/\s]+={0,2}\s*$/.test(text.trim())) {
    return {
      message: `base64 without PEM boundaries, ${expected}`,
      hint: '`base64 -d FILE | staplewright inspect -` reads what is in it',
    }
  }
  if (words !== '' && /^[\t\n\r\x20-\x7e]+$/.test(words)) {
    const [line = ''] = words.split(/[\r\n]/)
    return { message: `a text that begins "${line.slice(0, 60)}", ${expected}`, hint: 'is it the right file?' }
  }
  if (bytes[0] === 0x30 && bytes[1] === 0x80) {
    return {
      message: `BER of indefinite length (at offset 1: 80), ${expected}`,
      hint: 'the program that made it does not write DER, which has every length stated',
    }
  }
  const name = magics.find(([octets]) => octets.every((octet, index) => bytes[index] === octet))?.[1]
  const begin = [...bytes.subarray(0, 8)].map((octet) => octet.toString(16).padStart(2, '0')).join(' ')
  const found = name ?? (bytes[0] === 0x30 ? 'DER of another kind' : 'binary')
  return {
    message: `${found} (${bytes.length} bytes, at offset 0: ${begin}), ${expected}`,
    hint: 'is it the right file?',
  }
}

const expected = `expected PEM or DER of ${wanted}`

const magics: readonly (readonly [readonly number[], string])[] = [
  [[0x1f, 0x8b], 'gzip'],
  [[0x50, 0x4b, 0x03, 0x04], 'a ZIP archive'],
  [[0x7f, 0x45, 0x4c, 0x46], 'a program'],
  [[0xfe, 0xed, 0xfe, 0xed], 'a Java key store'],
]
