#!/usr/bin/env node
/** The `staplewright` program: hands the command line to its command and ends with the command's exit code. */
import { ioOfProcess } from './io.ts'
import { runProgram } from './program.ts'

runProgram(process.argv.slice(2), ioOfProcess()).then((exitCode) => {
  // Not process.exit(): what is still being written to a pipe must get out.
  process.exitCode = exitCode
})
