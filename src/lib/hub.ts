/** Uploads files to the Hugging Face hub as one commit, with the hub's own Python client. */
import { preparePython, runProgram } from './python-environment.ts'

const CLIENT = ['huggingface_hub==2.4.0']

/** What is uploaded, and where to. */
export interface Upload {
  /** `USER/NAME`. */
  repo: string
  type: 'dataset' | 'model'
  isPrivate: boolean
  message: string
  /** By the path in the repository: the path of a local file, or a text. */
  files: Record<string, { file: string } | { text: string }>
}

/** Hosts, tokens and proxies are those of the client: HF_TOKEN or `hf auth login`, HF_ENDPOINT. */
const PROGRAM = `
import json, sys
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError
job = json.load(sys.stdin)
api = HfApi()
try:
    api.create_repo(job["repo"], repo_type=job["type"], private=job["isPrivate"], exist_ok=True)
    adds = [
        CommitOperationAdd(path_in_repo=path, path_or_fileobj=one["file"] if "file" in one else one["text"].encode())
        for path, one in job["files"].items()
    ]
    done = api.create_commit(job["repo"], adds, commit_message=job["message"], repo_type=job["type"])
    print(json.dumps({"url": str(done.commit_url)}))
except LocalTokenNotFoundError:
    print(json.dumps({"problem": "there is no token: set HF_TOKEN, or run hf auth login"}))
except HfHubHTTPError as error:
    status = error.response.status_code if error.response is not None else "no answer"
    print(json.dumps({"problem": f"the hub refused it ({status}): {error.server_message or error}"}))
except Exception as error:  # of the network, of a file
    print(json.dumps({"problem": f"{type(error).__name__}: {error}"}))
`

/**
 * Uploads the files. A repository that is missing is created.
 * @returns the address of the commit
 * @throws Error with what the hub said
 */
export async function pushToHub(
  upload: Upload,
  options: { signal?: AbortSignal; onLine?: (line: string) => void } = {},
): Promise<string> {
  const python = await preparePython({ packages: CLIENT, ...options })
  const output = await runProgram([python, '-c', PROGRAM], {
    input: JSON.stringify(upload),
    signal: options.signal,
    env: { HF_HUB_DISABLE_TELEMETRY: '1', HF_HUB_DISABLE_PROGRESS_BARS: '1' },
  })
  const { url, problem } = JSON.parse(output.trim().split('\n').at(-1) as string)
  if (problem) throw new Error(problem)
  return url
}
