@echo off
rem start.cmd is what startnet.cmd of a WinPE with unloop calls. It leads to a prompt.
setlocal EnableExtensions DisableDelayedExpansion
if not exist "%~dp0unloop.exe" goto script
"%~dp0unloop.exe" winpe
exit /b %errorlevel%

rem A WinPE older than Windows 10: unloop.cmd, on the medium that it was started from.
:script
set "MEDIUM="
for %%d in (C D E F G H I J K L M N O P Q R S T U V W Y Z) do if exist %%d:\sources\boot.wim set "MEDIUM=%%d:"
set "SETTINGS=%~dp0unloop.toml"
if defined MEDIUM if exist "%MEDIUM%\unloop.toml" set "SETTINGS=%MEDIUM%\unloop.toml"
set "MODE=ask"
for /f "usebackq tokens=1,2 delims== " %%a in ("%SETTINGS%") do if "%%a"=="mode" set "MODE=%%~b"
echo unloop: settings: "%SETTINGS%", mode %MODE%
if "%MODE%"=="dry-run" goto dryrun
if not defined MEDIUM goto nomedium
if "%MODE%"=="auto" goto auto
call "%~dp0unloop.cmd" /backup "%MEDIUM%\unloop-backups"
goto prompt
:auto
call "%~dp0unloop.cmd" /y /backup "%MEDIUM%\unloop-backups"
goto prompt
:nomedium
echo unloop: no medium for backups is known, so nothing is written. To repair: "%~dp0unloop.cmd" /backup E:\unloop-backups
:dryrun
call "%~dp0unloop.cmd" /dryrun
:prompt
echo unloop: "%~dp0unloop.cmd" /? says what else there is
exit /b 0
