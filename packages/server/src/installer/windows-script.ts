/** `install.ps1`: for Windows PowerShell 5.1 and later, with the curl that Windows brings. Tested as text only. */
import { agentPath, INSTALL_PATHS, targetFileName } from '@longarm/contract/targets';

/** Schannel asks a private authority for a list of revoked certificates, and gets none: hence `--ssl-no-revoke`. */
export const WINDOWS_SCRIPT = `# Installs the Longarm agent of this server on this device. For administrators.
#   & ([scriptblock]::Create((Get-Content -Raw install.ps1))) URL CA TOKEN [option of longarm-agent install ...]
# URL: address of the server. CA: file with its certificate authority, or - for those that the system trusts.
param(
  [Parameter(Mandatory)][string]$Url,
  [Parameter(Mandatory)][string]$Ca,
  [Parameter(Mandatory)][string]$Token,
  [Parameter(ValueFromRemainingArguments)][string[]]$Options = @()
)
$ErrorActionPreference = 'Stop'
$curl = Join-Path $env:SystemRoot 'System32\\curl.exe'
$trust = if ($Ca -eq '-') { @() } else { @('--ssl-no-revoke', '--cacert', $Ca) }

function Get-FromServer($Path, $File) {
  & $curl -fsS --retry 5 @trust -o $File "$Url$Path"
  if ($LASTEXITCODE -ne 0) { throw "$Url\${Path}: expected the server to hand it out, see above" }
}

# below Program Files only administrators make files: nobody changes one between the check and the run
$folder = Join-Path $env:ProgramFiles "longarm-agent-install-$([guid]::NewGuid())"
New-Item -ItemType Directory -Path $folder | Out-Null
$sums = Join-Path $folder 'SHA256SUMS'
$agent = Join-Path $folder 'longarm-agent.exe'
try {
  Get-FromServer '${INSTALL_PATHS.checksums}' $sums
  Get-FromServer '${agentPath('windows-x64')}' $agent
  $line = Get-Content $sums | Where-Object { $_ -match '  ${targetFileName('longarm-agent', 'windows-x64').replaceAll('.', '\\.')}$' }
  $got = (Get-FileHash -Algorithm SHA256 $agent).Hash
  if (-not $line -or $got -ne $line.Substring(0, 64)) { throw 'the agent is not what SHA256SUMS says: nothing of it was run' }
  $Token | & $agent install --server $Url --token-file - @Options
  if ($LASTEXITCODE -ne 0) { throw "longarm-agent install ended with $LASTEXITCODE" }
} finally {
  Remove-Item $sums, $agent -ErrorAction SilentlyContinue
  Remove-Item $folder -ErrorAction SilentlyContinue
}
`;
