/**
 * Equal questions at the same time: one attempt, and everybody who waits for it.
 *
 * Each waits until a stop of its own; the last one to leave ends the attempt.
 */

import { Stop } from './stop.ts'

export interface Flights<T> {
  /**
   * Waits for what is under way by that name, else begins it.
   *
   * @param passenger - who may leave early; rejects with its reason
   */
  board(key: string, passenger: Stop | undefined, takeOff: (stop: Stop) => Promise<T>): Promise<T>
}

interface Flight<T> {
  readonly promise: Promise<T>
  readonly stop: Stop
  waiting: number
}

export function createFlights<T>(): Flights<T> {
  const flights = new Map<string, Flight<T>>()

  function launch(key: string, takeOff: (stop: Stop) => Promise<T>): Flight<T> {
    const stop = new Stop()
    const flight: Flight<T> = { promise: takeOff(stop), stop, waiting: 0 }
    flights.set(key, flight)
    const land = () => {
      if (flights.get(key) === flight) flights.delete(key)
    }
    flight.promise.then(land, land)
    return flight
  }

  return {
    board(key, passenger, takeOff) {
      if (passenger?.isStopped) return Promise.reject(passenger.reason)
      const known = flights.get(key)
      const flight = known && !known.stop.isStopped ? known : launch(key, takeOff)
      flight.waiting++
      if (!passenger) return flight.promise
      return new Promise((resolve, reject) => {
        const cancelStop = passenger.onStop(() => {
          reject(passenger.reason)
          if (--flight.waiting === 0) flight.stop.stop(passenger.reason)
        })
        flight.promise.then(resolve, reject).finally(cancelStop)
      })
    },
  }
}
