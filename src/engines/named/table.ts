/**
 * The names of models at providers and servers: `anthropic:NAME`, `ollama:NAME`. One row adds a name to the program, its
 * messages and `docs/models.md`.
 */

/** Settings, each with the environment variables that may hold it. The first variable that is set counts. */
export type Variables = Record<string, readonly string[]>

/** A provider that is asked through its package of the AI SDK. */
export interface Provider {
  about: string
  /** The package, and what makes the provider in it. */
  package: string
  create: string
  /** What a call needs: one of these sets, all of it. */
  needs: readonly Variables[]
  /** What may be set besides. */
  takes?: Variables
  /** A model's name, for help. */
  example: string
}

/** A server that speaks OpenAI's API, asked by the program's own engine. */
export interface NamedServer {
  about: string
  /** Where it usually listens. */
  address: string
  /** Variables that name another address: `HOST`, `HOST:PORT` or a URL. */
  addressIn?: readonly string[]
  portIn?: string
  /** Variables of its key. */
  keyIn?: readonly string[]
  needsKey?: boolean
  example: string
}

const key = (...apiKey: string[]): Variables[] => [{ apiKey }]

/** By the part of a name before the colon. */
export const providers: Record<string, Provider> = {
  anthropic: {
    about: 'Anthropic',
    package: '@ai-sdk/anthropic',
    create: 'createAnthropic',
    needs: [{ apiKey: ['ANTHROPIC_API_KEY'] }, { authToken: ['ANTHROPIC_AUTH_TOKEN'] }],
    takes: { baseURL: ['ANTHROPIC_BASE_URL'] },
    example: 'claude-sonnet-4-5',
  },
  google: {
    about: 'Google Gemini',
    package: '@ai-sdk/google',
    create: 'createGoogleGenerativeAI',
    needs: key('GOOGLE_GENERATIVE_AI_API_KEY', 'GEMINI_API_KEY', 'GOOGLE_API_KEY'),
    example: 'gemini-2.5-flash',
  },
  vertex: {
    about: 'Google Vertex AI',
    package: '@ai-sdk/google-vertex',
    create: 'createVertex',
    needs: [
      {
        project: ['GOOGLE_VERTEX_PROJECT', 'GOOGLE_CLOUD_PROJECT'],
        location: ['GOOGLE_VERTEX_LOCATION', 'GOOGLE_CLOUD_LOCATION'],
      },
      ...key('GOOGLE_VERTEX_API_KEY'),
    ],
    example: 'gemini-2.5-flash',
  },
  mistral: {
    about: 'Mistral',
    package: '@ai-sdk/mistral',
    create: 'createMistral',
    needs: key('MISTRAL_API_KEY'),
    example: 'mistral-small-latest',
  },
  groq: {
    about: 'Groq',
    package: '@ai-sdk/groq',
    create: 'createGroq',
    needs: key('GROQ_API_KEY'),
    example: 'llama-3.3-70b-versatile',
  },
  bedrock: {
    about: 'Amazon Bedrock',
    package: '@ai-sdk/amazon-bedrock',
    create: 'createAmazonBedrock',
    needs: [
      { apiKey: ['AWS_BEARER_TOKEN_BEDROCK'], region: ['AWS_REGION', 'AWS_DEFAULT_REGION'] },
      {
        accessKeyId: ['AWS_ACCESS_KEY_ID'],
        secretAccessKey: ['AWS_SECRET_ACCESS_KEY'],
        region: ['AWS_REGION', 'AWS_DEFAULT_REGION'],
      },
    ],
    takes: { sessionToken: ['AWS_SESSION_TOKEN'] },
    example: 'anthropic.claude-3-5-haiku-20241022-v1:0',
  },
  azure: {
    about: 'Azure OpenAI (NAME is the deployment)',
    package: '@ai-sdk/azure',
    create: 'createAzure',
    needs: [
      { apiKey: ['AZURE_API_KEY', 'AZURE_OPENAI_API_KEY'], resourceName: ['AZURE_RESOURCE_NAME'] },
      { apiKey: ['AZURE_API_KEY', 'AZURE_OPENAI_API_KEY'], baseURL: ['AZURE_BASE_URL'] },
    ],
    example: 'my-deployment',
  },
  deepseek: {
    about: 'DeepSeek',
    package: '@ai-sdk/deepseek',
    create: 'createDeepSeek',
    needs: key('DEEPSEEK_API_KEY'),
    example: 'deepseek-chat',
  },
  xai: {
    about: 'xAI',
    package: '@ai-sdk/xai',
    create: 'createXai',
    needs: key('XAI_API_KEY'),
    example: 'grok-4',
  },
  cohere: {
    about: 'Cohere',
    package: '@ai-sdk/cohere',
    create: 'createCohere',
    needs: key('COHERE_API_KEY', 'CO_API_KEY'),
    example: 'command-a-03-2025',
  },
  together: {
    about: 'Together AI',
    package: '@ai-sdk/togetherai',
    create: 'createTogetherAI',
    needs: key('TOGETHER_API_KEY', 'TOGETHER_AI_API_KEY'),
    example: 'meta-llama/Llama-3.3-70B-Instruct-Turbo',
  },
  fireworks: {
    about: 'Fireworks',
    package: '@ai-sdk/fireworks',
    create: 'createFireworks',
    needs: key('FIREWORKS_API_KEY'),
    example: 'accounts/fireworks/models/llama-v3p3-70b-instruct',
  },
  cerebras: {
    about: 'Cerebras',
    package: '@ai-sdk/cerebras',
    create: 'createCerebras',
    needs: key('CEREBRAS_API_KEY'),
    example: 'llama-3.3-70b',
  },
  deepinfra: {
    about: 'DeepInfra',
    package: '@ai-sdk/deepinfra',
    create: 'createDeepInfra',
    needs: key('DEEPINFRA_API_KEY'),
    example: 'meta-llama/Llama-3.3-70B-Instruct',
  },
  perplexity: {
    about: 'Perplexity',
    package: '@ai-sdk/perplexity',
    create: 'createPerplexity',
    needs: key('PERPLEXITY_API_KEY'),
    example: 'sonar',
  },
  gateway: {
    about: 'Vercel AI Gateway',
    package: 'ai',
    create: 'createGateway',
    needs: key('AI_GATEWAY_API_KEY', 'VERCEL_OIDC_TOKEN'),
    example: 'openai/gpt-5-mini',
  },
}

/** By the part of a name before the colon. */
export const namedServers: Record<string, NamedServer> = {
  ollama: {
    about: 'Ollama',
    address: 'http://127.0.0.1:11434/v1',
    addressIn: ['OLLAMA_HOST'],
    keyIn: ['OLLAMA_API_KEY'],
    example: 'llama3.2',
  },
  lmstudio: {
    about: 'LM Studio',
    address: 'http://127.0.0.1:1234/v1',
    addressIn: ['LMSTUDIO_BASE_URL', 'LM_STUDIO_API_BASE'],
    keyIn: ['LM_API_TOKEN', 'LM_STUDIO_API_KEY'],
    example: 'qwen/qwen3-4b',
  },
  vllm: {
    about: 'vLLM',
    address: 'http://127.0.0.1:8000/v1',
    addressIn: ['VLLM_BASE_URL', 'HOSTED_VLLM_API_BASE'],
    keyIn: ['VLLM_API_KEY'],
    example: 'meta-llama/Llama-3.1-8B-Instruct',
  },
  'llama-server': {
    about: 'llama.cpp’s llama-server',
    address: 'http://127.0.0.1:8080/v1',
    addressIn: ['LLAMA_ARG_HOST'],
    portIn: 'LLAMA_ARG_PORT',
    keyIn: ['LLAMA_API_KEY'],
    example: 'default',
  },
  sglang: {
    about: 'SGLang',
    address: 'http://127.0.0.1:30000/v1',
    addressIn: ['SGLANG_BASE_URL'],
    keyIn: ['SGLANG_API_KEY'],
    example: 'default',
  },
  openrouter: {
    about: 'OpenRouter',
    address: 'https://openrouter.ai/api/v1',
    keyIn: ['OPENROUTER_API_KEY'],
    needsKey: true,
    example: 'meta-llama/llama-3.3-70b-instruct',
  },
}

type Env = Record<string, string | undefined>

/** The value of the first variable that is set, without white space around it. */
export function firstOf(names: readonly string[] | undefined, env: Env): string | undefined {
  for (const name of names ?? []) {
    const value = env[name]?.trim()
    if (value) return value
  }
  return undefined
}

/** The address of a server: what its variables say, else where it usually listens. */
export function addressOf({ address, addressIn, portIn }: NamedServer, env: Env): string {
  const host = firstOf(addressIn, env)
  const usual = new URL(address)
  if (portIn && env[portIn]?.trim()) usual.port = env[portIn].trim()
  return host === undefined ? trimmed(usual) : readAddress(host, usual)
}

/**
 * Variables hold `HOST`, `:PORT`, `HOST:PORT` or a URL. What they leave out is as usual, but a URL without port means the
 * port of its scheme. "All addresses" is where a server listens, and not where it is asked.
 */
function readAddress(text: string, usual: URL): string {
  const hasScheme = text.includes('://')
  const bare = /^[\da-f:]+:[\da-f:]*$/i.test(text) && text.split(':').length > 2 ? `[${text}]` : text
  const full = hasScheme ? text : `http://${bare.startsWith(':') ? usual.hostname : ''}${bare}`
  if (!URL.canParse(full)) return text
  const url = new URL(full)
  if (!hasScheme && !/:\d+(\/|$)/.test(bare)) url.port = usual.port
  if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1'
  if (url.hostname === '[::]') url.hostname = '[::1]'
  if (url.pathname === '/') url.pathname = usual.pathname
  return trimmed(url)
}

function trimmed(url: URL): string {
  return url.href.replace(/\/+$/, '')
}

/** `openai:NAME`, and the names of both tables, for messages. */
export function namedForms(): string[] {
  return ['openai', ...Object.keys(namedServers), ...Object.keys(providers)].map((name) => `${name}:NAME`)
}
