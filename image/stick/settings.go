package stick

import "strings"

// DefaultSettings returns the settings file that a new stick gets: every setting
// with its default, and comments.
//
// The texts on the stick have Windows' line ends, since the Notepad of Windows 7
// knows no others. They are UTF-8 without a byte order mark: Notepad finds out by
// itself, and not every reader of TOML bears one. When it saves, the old Notepad
// adds one; who reads the file has to skip it.
func DefaultSettings() []byte { return windowsText(defaultSettings) }

func windowsText(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }

const defaultSettings = `# Settings of the unloop stick. Change them with any editor, on any PC.
# unloop の USB メモリの設定。どの PC でも、テキストエディターで変更できます。

# What happens after the start: "ask" shows the plan and waits for a key, "auto" repairs
# every affected Windows without asking, "dry-run" only looks and leaves a record.
# 起動後の動作: ask = 確認してから修復、auto = 確認なしで修復、dry-run = 調べるだけ。
mode = "ask"

# What a repair changes: "override", "drivers", and "updates", which lets Windows Update
# ask before it installs anything.
# 修復の内容: override（設定値）、drivers（ドライバーの無効化）、updates（更新プログラムを
# 自動でインストールしない）。
fix = ["override", "drivers"]

# The drivers that are disabled, by name of the service.
# 無効にするドライバー（サービス名）。
services = ["haspnt", "hardlock"]

# A hibernated Windows is refused. With true, "ask" offers to repair it all the same; what
# was open in it is then lost.
# 休止状態の Windows は修復しません。true なら mode = "ask" のときに修復でき、開いていたものは失われます。
discard_hibernation = false

# What follows when the work of "auto" or "dry-run" is done: "ask" waits for a key,
# "reboot" (pull the stick out then), "poweroff", or "shell" for a technician's shell. After a failure the PC is not
# restarted, and without a record it waits for a key.
# auto と dry-run の終了後: ask = キーを待つ、reboot = 再起動、poweroff = 電源オフ、shell = シェル。
# 失敗したときは再起動せず、記録を書き込めなかったときはキーを待ちます。
after = "ask"

# Language of the screen, the records and a serial console: "en" or "ja". On the screen
# the keys J and E change it. A screen that cannot show Japanese is English by itself.
# 画面、記録、シリアルコンソールの言語: en または ja。画面では J（日本語）と E（英語）で
# 切り替えられます。日本語を表示できない画面は英語になります。
language = "en"

# Keyboard: "us" or "jp".
# キーボード: us または jp。
keyboard = "us"
`

const readme = `unloop: a stick that repairs PCs with Windows 7 (32-bit)
which restart over and over because of HASP dongle drivers
==========================================================

Use
  1. Plug the stick into the PC that is switched off, switch it on, and choose the
     stick in the boot menu of the PC (often F12, F11, F9 or Esc).
  2. Wait for the screen with the plan. Nothing has been changed so far.
     Enter repairs; D shows details; J is for Japanese; P switches the PC off.
  3. Pull the stick out when the screen says so.

Records
  Every repair leaves a folder in "records" on this stick: report.txt (to read),
  diff.txt (what was changed), and a backup of the changed file of Windows.

Undo
  Start the PC from this stick again and press U. Keep the folder in "records":
  it is the backup that undo needs.

Settings
  unloop.toml, with any editor. packages.txt in the folder unloop names the free
  software on this stick, with licences and sources.


unloop: HASP ドングルのドライバーが原因で再起動を繰り返す
Windows 7（32 ビット）の PC を修復する USB メモリ
==========================================================

使い方
  1. 電源を切った PC にこの USB メモリを挿し、電源を入れ、PC の起動メニュー（多くは F12、
     F11、F9、Esc）で USB メモリを選びます。
  2. 修復内容の画面が出るまで待ちます。ここまでは何も変更されません。
     英語の画面では J を押すと日本語になります。Enter = 修復、D = 詳細、P = 電源オフ。
  3. 画面に案内が出たら、USB メモリを抜きます。

記録
  修復のたびに、この USB メモリの records にフォルダーが作られます: report.txt（レポート）、
  diff.txt（変更内容）、変更した Windows のファイルのバックアップ。

元に戻す
  もう一度この USB メモリで起動して U を押します。records のフォルダーは削除しないで
  ください。元に戻すためのバックアップです。

設定
  unloop.toml をテキストエディターで変更します。USB メモリに入っている
  フリーソフトウェアの一覧（ライセンスと入手元）は unloop フォルダーの packages.txt にあります。
`
