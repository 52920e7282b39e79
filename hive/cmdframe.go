package hive

// cmdFrame is the script around the edits of a CmdScript, in the few words of cmd.exe
// that its versions since Windows 7 understand alike. Text from a hive is never an
// argument of call, which would obey its percent signs once more, and goes to reg.exe by
// delayed expansion, which obeys nothing in it.
const cmdFrame = `@echo off
rem Made by {TOOL}
rem for {LABEL}
rem of the PC {PC}. It makes the changes below on that PC and on no other. From a stick, in any recovery environment:
rem
rem   name-of-this-file.cmd D:       D: being the drive of the sick Windows there
rem
rem Exit codes: 0 done; 1 failed, nothing changed; 2 usage; 4 refused, nothing changed; 5 changed, but not verified.
rem The way back, with each hive loaded by reg load HKLM\NAME FILE, and given back by reg unload HKLM\NAME,
{UNDO}setlocal EnableExtensions DisableDelayedExpansion
set "WIN=%~1"
if not defined WIN goto usage
if "%WIN:~-1%"=="\" set "WIN=%WIN:~0,-1%"
set "CONFIG=%WIN%\System32\config"
if not exist "%CONFIG%\SYSTEM" set "CONFIG=%WIN%\Windows\System32\config"
if not exist "%CONFIG%\SYSTEM" goto usage
for %%f in ("%CONFIG%\SYSTEM") do set "ROOT=%%~df"
if /i "%ROOT%"=="%~d0" goto samedrive
reg query "HKLM\SYSTEM\CurrentControlSet\Control\MiniNT" >nul 2>nul
if not errorlevel 1 if /i "%SystemDrive%"=="%~d0" goto samedrive
call :hibernated
if not "%SLEEP%"=="no" goto asleep
set "BACKUPS=%~dp0unloop-backups"
if not exist "%BACKUPS%" md "%BACKUPS%" 2>nul
call :newfolder
if not defined DIR goto nobackup
set "COPIED=yes"
for %%h in ({HIVES}) do call :copyhive %%h
if not "%COPIED%"=="yes" goto nobackup
set "MOUNT=unloop-%RANDOM%%RANDOM%"
set "LOADED="
set "TROUBLE="
for %%h in ({HIVES}) do call :load %%h
if defined TROUBLE goto noload

rem What must be there before anything is written.
{CHECK}if defined TROUBLE goto other

rem The changes.
{WRITE}if defined TROUBLE goto halfway

rem What must be there now.
{VERIFY}if defined TROUBLE goto halfway
call :unload
if defined LOADED goto halfway
echo unloop: done, written and read back. Backup: "%DIR%"
exit /b 0

:usage
echo unloop: error: name the drive of the sick Windows, as in %~n0 D:
exit /b 2
:samedrive
echo unloop: error: this script, and so the backup, lies on the drive to be repaired or in memory: start it from a stick
exit /b 4
:asleep
echo unloop: error: Windows is hibernated on %ROOT%, or hiberfil.sys cannot be read
exit /b 4
:nobackup
echo unloop: error: the backup cannot be written to "%BACKUPS%"
exit /b 4
:noload
echo unloop: error: %TROUBLE% cannot be loaded: not there, in use, damaged, or no administrator rights
call :unload
exit /b 1
:other
echo unloop: error: "%TROUBLE%": this is another PC, or something has changed since
call :unload
exit /b 4
:halfway
echo unloop: error: "%TROUBLE%": values may be half changed. The old hives are in "%DIR%"
call :unload
exit /b 5

:expect
set "HAVE=absent"
setlocal EnableDelayedExpansion
reg query "HKLM\!MOUNT!-!HIVE!\!KEY!" /v "!NAME!" >"!DIR!\query.tmp" 2>nul
endlocal
for /f "usebackq tokens=1,2,*" %%a in ("%DIR%\query.tmp") do if /i "%%a"=="%NAME%" set "HAVE=%%b %%c"
del "%DIR%\query.tmp"
setlocal EnableDelayedExpansion
reg query "HKLM\!MOUNT!-!HIVE!\!KEY!" >nul 2>nul
endlocal
if errorlevel 1 set "HAVE=without its key"
setlocal EnableDelayedExpansion
if "!HAVE!"=="!WANT!" goto asexpected
endlocal
set "TROUBLE=%HIVE%: %KEY%, %NAME% is not %WANT%"
exit /b 0
:asexpected
endlocal
exit /b 0

:add
setlocal EnableDelayedExpansion
reg add "HKLM\!MOUNT!-!HIVE!\!KEY!" /v "!NAME!" /t !TYPE! /d "!DATA!" /f >nul 2>nul
goto written
:delete
setlocal EnableDelayedExpansion
reg delete "HKLM\!MOUNT!-!HIVE!\!KEY!" /v "!NAME!" /f >nul 2>nul
:written
endlocal
if errorlevel 1 set "TROUBLE=%NAME% could not be written"
exit /b 0

rem Where a hive is not there, reg would make a new one.
:load
if defined TROUBLE exit /b 0
if not exist "%CONFIG%\%1" set "TROUBLE=%1"
if not exist "%CONFIG%\%1" exit /b 0
reg load "HKLM\%MOUNT%-%1" "%CONFIG%\%1" >nul 2>nul
if errorlevel 1 set "TROUBLE=%1"
if not defined TROUBLE set "LOADED=%LOADED% %1"
exit /b 0

:unload
if not defined LOADED exit /b 0
set "STILL="
for %%h in (%LOADED%) do call :unloadhive %%h
set "LOADED=%STILL%"
exit /b 0

:unloadhive
set "HIVE=%1"
for %%i in (1 2 3 4 5) do call :tryunload
if not defined HIVE exit /b 0
set "STILL=%STILL% %HIVE%"
set "TROUBLE=%HIVE%: still loaded"
echo unloop: error: the hive is still loaded; give it back with reg unload HKLM\%MOUNT%-%HIVE%
exit /b 0

:tryunload
if not defined HIVE exit /b 0
reg unload "HKLM\%MOUNT%-%HIVE%" >nul 2>nul
if not errorlevel 1 set "HIVE="
exit /b 0

:hibernated
set "SLEEP=no"
if not exist "%ROOT%\hiberfil.sys" exit /b 0
set "SLEEP=unreadable"
set "HEAD="
call :readhead <"%ROOT%\hiberfil.sys" 2>nul
if not defined HEAD exit /b 0
set "HEAD=%HEAD:"=%"
if not defined HEAD exit /b 0
if /i "%HEAD:~0,4%"=="hibr" set "SLEEP=yes"
exit /b 0

:readhead
set "SLEEP=no"
set /p HEAD=
exit /b 0

:newfolder
set "DIR="
set "K=0"
:nextfolder
set /a K+=1
if %K% gtr 9999 exit /b 0
if exist "%BACKUPS%\script-%K%" goto nextfolder
md "%BACKUPS%\script-%K%" 2>nul
if exist "%BACKUPS%\script-%K%" set "DIR=%BACKUPS%\script-%K%"
exit /b 0

:copyhive
for %%f in (%1 %1.LOG %1.LOG1 %1.LOG2) do if exist "%CONFIG%\%%f" call :copyfile %%f
exit /b 0

:copyfile
xcopy "%CONFIG%\%1" "%DIR%\" /h /r /k /y /q >nul 2>nul
if not exist "%DIR%\%1" copy /b "%CONFIG%\%1" "%DIR%\%1" >nul 2>nul
if not exist "%DIR%\%1" set "COPIED=no"
set "SIZE=0"
set "SIZE2=1"
for %%f in ("%CONFIG%\%1") do set "SIZE=%%~zf"
for %%f in ("%DIR%\%1") do set "SIZE2=%%~zf"
if not "%SIZE%"=="%SIZE2%" set "COPIED=no"
exit /b 0
`
