import { memoryStore } from '../../../src/keep/store/index.ts'
import { describeStoreContract } from '../../kit/store-contract.ts'

describeStoreContract('memoryStore', { lasts: false, watches: false }, () => ({ store: memoryStore() }))
