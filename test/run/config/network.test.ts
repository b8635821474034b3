/** Networks: how they are written out, and what is said of those that are none. */
import { describe, expect, it } from 'vitest'
import { network } from '../../../src/run/config/network.ts'
import { readAs } from '../../kit/configuration.ts'

describe('a network', () => {
  it.each([
    ['"10.0.0.0/8"', '10.0.0.0/8'],
    ['192.0.2.7', '192.0.2.7/32'],
    ['"0.0.0.0/0"', '0.0.0.0/0'],
    ['"255.255.255.255/32"', '255.255.255.255/32'],
    ['"2001:DB8::/32"', '2001:db8::/32'],
    ['"2001:0db8:0:0:0:0:0:1"', '2001:db8::1/128'],
    ['"::1"', '::1/128'],
    ['"::/0"', '::/0'],
    ['"fe80::/10"', 'fe80::/10'],
    ['"1:2:3:4:5:6:7:8"', '1:2:3:4:5:6:7:8/128'],
  ])('%s', async (written, value) => {
    expect(await readAs(network, written)).toEqual({ value })
  })

  it.each([
    ['true', 'name the networks, or leave the key out'],
    ['10', 'put quotes around it: "10.0.0.0/8"'],
    ['"lb.example.net"', 'names are not looked up: write addresses'],
    ['"10.0.0/8"', 'write it as "10.0.0.0/8" or "2001:db8::/32"'],
    ['"10.0.0.256/8"', 'write it as "10.0.0.0/8" or "2001:db8::/32"'],
    ['"fe80::1%eth0"', 'write it as "10.0.0.0/8" or "2001:db8::/32"'],
    ['""', 'write it as "10.0.0.0/8" or "2001:db8::/32"'],
    ['"10.0.0.0/33"', 'it is 0 to 32'],
    ['"::/129"', 'it is 0 to 128'],
    ['"10.0.0.0/"', 'it is 0 to 32'],
    ['"10.0.0.0/255.0.0.0"', 'it is 0 to 32'],
    ['"10.1.2.3/8"', 'write 10.0.0.0/8 for the network, or 10.1.2.3 for the one address'],
    ['"2001:db8::1/32"', 'write 2001:db8::/32 for the network, or 2001:db8::1 for the one address'],
    ['"::ffff:10.0.0.0/104"', 'write it as an IPv4 address'],
  ])('%s is refused', async (written, hint) => {
    expect(await readAs(network, written)).toMatchObject({ problem: { hint } })
  })
})
