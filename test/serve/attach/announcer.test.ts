import { expect, it } from 'vitest'
import { createAnnouncer } from '../../../src/serve/attach/announcer.ts'

type Event = { readonly type: 'born'; readonly name: string } | { readonly type: 'gone' }

it('tells each listener of its type, and subscribers of everything, until they end it', () => {
  const { announce, on, off, subscribe } = createAnnouncer<Event>()
  const told: string[] = []
  const gone = () => told.push('gone')
  const endBorn = on('born', ({ name }) => told.push(`born ${name}`))
  on('gone', gone)
  const endAll = subscribe(({ type }) => told.push(`any ${type}`))
  announce({ type: 'born', name: 'a' })
  announce({ type: 'gone' })
  expect(told.splice(0)).toEqual(['any born', 'born a', 'any gone', 'gone'])
  endBorn()
  endAll()
  off('gone', gone)
  announce({ type: 'born', name: 'b' })
  announce({ type: 'gone' })
  expect(told).toEqual([])
})

it('tells the others though one takes itself away', () => {
  const { announce, on } = createAnnouncer<Event>()
  const told: string[] = []
  const end = on('gone', () => {
    told.push('first')
    end()
  })
  on('gone', () => told.push('second'))
  announce({ type: 'gone' })
  expect(told).toEqual(['first', 'second'])
})

it('tells the others though one throws, and lets what it threw surface as uncaught', async () => {
  const { announce, on } = createAnnouncer<Event>()
  const told: string[] = []
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  const surfaced = new Promise((resolve) => process.once('uncaughtException', resolve))
  on('gone', () => {
    throw new Error('a bug of theirs')
  })
  on('gone', () => told.push('second'))
  announce({ type: 'gone' })
  expect(told).toEqual(['second'])
  expect(await surfaced).toMatchObject({ message: 'a bug of theirs' })
  for (const other of others) process.on('uncaughtException', other)
})
