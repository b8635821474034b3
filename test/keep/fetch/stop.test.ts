import { expect, it } from 'vitest'
import { Stop, stopOf } from '../../../src/keep/fetch/stop.ts'

it('tells everybody who waits, once, with the first reason', () => {
  const stop = new Stop()
  const told: unknown[] = []
  stop.onStop(() => told.push(stop.reason))
  stop.onStop(() => told.push('too'))
  stop.stop('first')
  stop.stop('second')
  expect(told).toEqual(['first', 'too'])
  expect(stop.isStopped).toBe(true)
  expect(() => stop.throwIfStopped()).toThrow('first')
})

it('tells nobody who has left, and nobody who comes late', () => {
  const stop = new Stop()
  const told: string[] = []
  const callback = () => told.push('told')
  const leave = stop.onStop(callback)
  stop.onStop(callback)
  leave()
  stop.stop('x')
  stop.onStop(callback)
  expect(told).toEqual(['told'])
})

it('follows an AbortSignal, with one for all who ask', () => {
  const controller = new AbortController()
  const stop = stopOf(controller.signal)
  expect(stopOf(controller.signal)).toBe(stop)
  const told: unknown[] = []
  stop.onStop(() => told.push(stop.reason))
  controller.abort('over')
  expect(told).toEqual(['over'])
  expect(stopOf(AbortSignal.abort('long ago')).reason).toBe('long ago')
})
